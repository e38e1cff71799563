import { sql, type Transaction } from 'kysely'
import { type CacheTag, type Ledger, softly } from '../../cache/index.ts'
import type { Tables } from '../../database/index.ts'
import type { Context } from '../../graphql/resolving/index.ts'
import type { InvalidateCachePayload, InvalidationMode } from '../../graphql/schema/index.ts'
import { requireAdmin } from '../../identity/index.ts'
import { formatToken } from '../../invalidation/index.ts'
import { badInput, checkText, quote } from '../../kernel/input.ts'

/**
 * Invalidates everything that depends on `tags`, on every node, by writing them to the log. With `SOFT`, entries may be
 * served stale once more while they are refreshed.
 *
 * @returns the tags, each once, and the token of the position at which they were written
 * @throws FORBIDDEN or UNAUTHENTICATED unless the viewer is an admin; BAD_USER_INPUT for a tag that cannot be one, or that names a table which is not watched
 */
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

/** Writes `tags` to the log in this transaction: once it has committed, everything that depends on them falls, on every node. */
export async function touch(transaction: Transaction<Tables>, tags: readonly CacheTag[]): Promise<void> {
  await sql`select stet.touch(variadic ${tags}::text[])`.execute(transaction)
}

function checkTags(tags: readonly CacheTag[]): CacheTag[] {
  if (tags.length < 1 || tags.length > MAX_TAGS) throw badTags(`tags must be 1 to ${MAX_TAGS}, not ${tags.length}.`)
  for (const tag of tags) {
    checkText('tags', tag)
    const { length } = [...tag]
    if (length < 1 || length > MAX_TAG_LENGTH) {
      throw badTags(`tags must have 1 to ${MAX_TAG_LENGTH} characters each; ${quote(tag)} has ${length}.`)
    }
    if (/\p{Cc}/u.test(tag)) throw badTags(`tags must have no control characters; ${quote(tag)} has.`)
    if (tag.startsWith('~')) {
      throw badTags(`tags must not begin with "~", as ${quote(tag)} does: that is what SOFT is for.`)
    }
  }
  return [...new Set(tags)]
}

/** Refuses a tag of a table that is not watched. It must be a typo: no entry depends on it, so it would invalidate nothing. */
async function checkTables(transaction: Transaction<Tables>, tags: readonly CacheTag[]): Promise<void> {
  const watched = await watchedTables(transaction)
  const unknown = tags.find((tag) => !watched.includes(tableOf(tag)))
  if (unknown === undefined) return
  throw badTags(`tags must be of watched tables (${watched.join(', ')}); ${quote(unknown)} is of none.`)
}

/** The names of the watched tables, without partitions and child tables: those are watched under their parent's name. */
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

const badTags = (message: string) => badInput('tags', message)

const MAX_TAGS = 1000
const MAX_TAG_LENGTH = 1000
