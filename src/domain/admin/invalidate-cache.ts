import { sql, type Transaction } from 'kysely'
import { type CacheTag, type Ledger, softly } from '../../cache/index.ts'
import type { Tables } from '../../database/index.ts'
import type { Context } from '../../graphql/resolving/index.ts'
import type { InvalidateCachePayload, InvalidationMode } from '../../graphql/schema/index.ts'
import { requireAdmin } from '../../identity/index.ts'
import { formatToken } from '../../invalidation/index.ts'
import { AskerError } from '../../kernel/errors.ts'
import { checkText, quote } from '../../kernel/input.ts'
import { touch } from './touch.ts'

/** Has everything that depends on `tags` loaded anew, on every node: by way of the log, like any write. */
export async function invalidateCache(
  context: Context,
  ledger: Ledger,
  tags: readonly CacheTag[],
  mode?: InvalidationMode | null,
): Promise<InvalidateCachePayload> {
  requireAdmin(context.viewer)
  const once = checkTags(tags)
  await context.write(async (transaction) => {
    await checkTables(transaction, once)
    await touch(transaction, mode === 'SOFT' ? once.map(softly) : once)
  })
  return { position: formatToken(ledger.seen, ledger.epoch), tags: once }
}

function checkTags(tags: readonly string[]): string[] {
  if (tags.length < 1 || tags.length > MAX_TAGS) throw badTags(`tags must be 1 to ${MAX_TAGS}, not ${tags.length}.`)
  for (const tag of tags) {
    checkText('tags', tag)
    const { length } = [...tag]
    if (length < 1 || length > MAX_TAG_LENGTH) {
      throw badTags(`A tag has 1 to ${MAX_TAG_LENGTH} characters; ${quote(tag)} has ${length}.`)
    }
    if (/\p{Cc}/u.test(tag)) throw badTags(`A tag has no control characters; ${quote(tag)} has.`)
    if (tag.startsWith('~'))
      throw badTags(`A tag doesn't begin with "~", as ${quote(tag)} does: that is what SOFT is for.`)
  }
  return [...new Set(tags)]
}

/** A tag of a table that nothing watches is a typo: no entry depends on it, and it would purge nothing. */
async function checkTables(transaction: Transaction<Tables>, tags: readonly CacheTag[]): Promise<void> {
  const watched = await watchedTables(transaction)
  const unknown = tags.find((tag) => !watched.includes(tableOf(tag)))
  if (unknown === undefined) return
  throw badTags(`The tag ${quote(unknown)} is of no table that is watched: those are ${watched.join(', ')}.`)
}

/** Partitions and children are watched under the name of the table that they belong to. */
async function watchedTables(transaction: Transaction<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select distinct relname as name
      from pg_trigger t join pg_class on pg_class.oid = t.tgrelid
     where t.tgname = 'stet_insert' and not exists (
       select from pg_inherits join pg_trigger parents on parents.tgrelid = inhparent
        where inhrelid = t.tgrelid and parents.tgname = t.tgname and parents.tgfoid = t.tgfoid
     )
     order by name`.execute(transaction)
  return rows.map(({ name }) => name)
}

const tableOf = (tag: CacheTag): string => tag.split(':', 1)[0] ?? ''

const badTags = (message: string) => new AskerError('BAD_USER_INPUT', message, { field: 'tags' })

const MAX_TAGS = 1000
const MAX_TAG_LENGTH = 1000
