import { Command } from 'commander'
import type { Entry, Ledger, NamedKind, Standing } from '../../cache/index.ts'
import type { Progress } from '../../content/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { parseCount, print, withProgress } from '../command.ts'
import { type EngineWithRedis, withEngineAndRedis } from '../with-engine.ts'
import { readAllEntries } from './stored-entries.ts'

export const statsCommand = new Command('stats')
  .description('count what Redis holds, by kind, and how much of it stands')
  .option('--limit <number>', 'how many entries to look at, at most', parseCount, 100_000)
  .option('--json', 'print as JSON')
  .action(async ({ limit, json }: { readonly limit: number; readonly json?: boolean }) => {
    const stats = await withEngineAndRedis((engine) =>
      withProgress('Counting', (onProgress) => countEntries(engine, limit, onProgress)),
    )
    print(stats, { json, text: describe(stats) })
  })

type Stats = Awaited<ReturnType<typeof countEntries>>

async function countEntries(engine: EngineWithRedis, limit: number, onProgress: (progress: Progress) => void) {
  const { redis, cache, ledger, databases } = engine
  const kinds: Record<string, typeof NONE> = {}
  // False if the limit ended the count.
  const complete = await readAllEntries(engine, { limit, onProgress }, (entries) => {
    for (const { key, bytes, entry } of entries) {
      const kind = cache.kinds.find(({ prefix }) => key.startsWith(prefix))
      const name = kind?.name ?? OTHER
      kinds[name] ??= { ...NONE }
      kinds[name].entries++
      kinds[name].bytes += bytes
      kinds[name][entry ? standingOf(entry, kind, ledger) : 'unreadable']++
    }
  })
  const { rows } = await databases.primary.query<{ records: number }>('select count(*) as records from stet.log')
  return {
    kinds: Object.fromEntries(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1))),
    complete,
    log: { position: ledger.seen, epoch: ledger.epoch, records: Number(rows[0]?.records) },
    redis: await readMemory(redis),
  }
}

/** Counts of the entries of one kind. Unreadable are those that are damaged, or written by another version. */
const NONE = { entries: 0, bytes: 0, standing: 0, stale: 0, dead: 0, fallen: 0, unreadable: 0 }

/** The name for entries of kinds that this version does not define. */
const OTHER = '(other)'

/** How an entry is judged. An entry of a kind that this version does not define is dead, because nothing reads it. */
function standingOf(entry: Entry, kind: NamedKind | undefined, ledger: Ledger): Standing {
  return kind?.explain(entry).standing ?? (ledger.stands(entry) ? 'dead' : 'fallen')
}

/** The memory of all servers together. */
async function readMemory(redis: GuardedRedis) {
  const texts = await Promise.all(redis.masters().map(async ({ client }) => (await client?.info('memory')) ?? ''))
  const sum = (name: string) =>
    texts.reduce((total, text) => total + Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0), 0)
  return { usedMemoryBytes: sum('used_memory'), maxMemoryBytes: sum('maxmemory') }
}

function describe({ kinds, complete, log, redis }: Stats): string {
  const row = (name: string, cells: readonly (string | number)[]) =>
    name.padEnd(22) + cells.map((cell) => String(cell).padStart(11)).join('')
  return [
    row('kind', Object.keys(NONE)),
    ...Object.entries(kinds).map(([name, counts]) => row(name, Object.values(counts))),
    ...(complete ? [] : ['… and more: that is the limit.']),
    '',
    `log      at ${log.position}, ${log.records} records, epoch ${log.epoch}`,
    `Redis    ${redis.usedMemoryBytes} bytes used, ${redis.maxMemoryBytes ? `${redis.maxMemoryBytes} at most` : 'no limit'}`,
  ].join('\n')
}
