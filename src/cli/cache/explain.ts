import { Command } from 'commander'
import { type EntryExplanation, softly } from '../../cache/index.ts'
import type { Pool } from '../../database/index.ts'
import { Failure, formatRows, formatSeconds, print } from '../command.ts'
import { type EngineWithRedis, withEngineAndRedis } from '../with-engine.ts'
import { readEntry } from './stored-entries.ts'

export const explainCommand = new Command('explain')
  .description('say whether the entry that Redis holds under a key stands, and which records of the log made it fall')
  .argument('<kind>', 'such as "article"')
  .argument('<key>', 'such as 42, or a whole key as other commands and explained answers print it')
  .option('--json', 'print as JSON')
  .action(async (kindName: string, rawKey: string, { json }: { readonly json?: boolean }) => {
    const story = await withEngineAndRedis((engine) => tell(engine, kindName, rawKey))
    print(story, { json, text: describe(story) })
    if (!('asOf' in story)) throw new Failure()
  })

type Story = Awaited<ReturnType<typeof tell>>

async function tell(engine: EngineWithRedis, kindName: string, rawKey: string) {
  const { ledger, databases } = engine
  const { kind, key, stored } = await readEntry(engine, kindName, rawKey)
  const log = { position: ledger.seen, epoch: ledger.epoch }
  if (!stored) {
    return { key, standing: 'absent', why: 'Redis holds nothing under it.', log, records: [] } as const
  }
  if (!stored.entry) {
    const why = 'What Redis holds under it is no entry that this version can read.'
    return { key, standing: 'unreadable', why, log, records: [] } as const
  }
  const explained = kind.explain(stored.entry)
  const records = explained.epoch === ledger.epoch ? await recordsSince(databases.primary, explained) : []
  return { ...explained, log, records }
}

/**
 * The first records that were written since the entry was read and that name one of its tags. With only those tags, because a
 * record may hold thousands.
 */
async function recordsSince(primary: Pool, { key, asOf, tags }: EntryExplanation) {
  const own = [key, ...tags]
  const { rows } = await primary.query<{ position: string; written_at: Date; tags: string[] }>(
    `select position, written_at, array(select unnest(tags) intersect select unnest($2::text[]) order by 1) as tags
       from stet.log where position > $1 and tags && $2::text[] order by position limit ${MAX_RECORDS}`,
    [asOf, [...own, ...own.map(softly)]],
  )
  return rows.map(({ position, written_at, tags }) => ({
    position: Number(position),
    writtenAt: written_at.toISOString(),
    tags,
  }))
}

const MAX_RECORDS = 10

function describe(story: Story): string {
  const rows: [name: string, text: string][] = [
    ['judged', story.standing],
    ['why', story.why],
  ]
  if ('asOf' in story) {
    const { asOf, epoch, ageMs, ttlMs, tags } = story
    rows.push(
      ['as of', `${asOf} (${epoch})`],
      ['age', formatSeconds(ageMs)],
      ['ttl', ttlMs > 0 ? formatSeconds(ttlMs) : `over for ${formatSeconds(-ttlMs)}`],
      ['tags', tags.join('  ')],
    )
  }
  rows.push(['log', `at ${story.log.position} (${story.log.epoch})`])
  for (const { position, writtenAt, tags } of story.records) {
    rows.push(['written', `${position}  ${writtenAt}  ${tags.join('  ')}`])
  }
  return formatRows(story.key, rows)
}
