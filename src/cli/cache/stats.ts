import { Command } from 'commander'
import type { Entry, Ledger, NamedKind, Standing } from '../../cache/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { print, withProgress } from '../output.ts'
import { parseCount } from '../parse-count.ts'
import { withEngineAndRedis } from '../with-engine.ts'
import { readEntries } from './read-entries.ts'
import { scanKeys } from './scan-keys.ts'

interface StatsCommandOptions {
  readonly limit: number
  readonly json?: boolean
}

/** What Redis holds of one kind. */
interface KindStats {
  entries: number
  bytes: number
  standing: number
  stale: number
  dead: number
  fallen: number
  /** Damaged, or written by another version. */
  unreadable: number
}

interface Stats {
  readonly kinds: { readonly [name: string]: KindStats }
  /** False where the limit ended the count. */
  readonly complete: boolean
  readonly log: { readonly position: number; readonly epoch: string; readonly records: number }
  readonly redis: { readonly usedMemoryBytes: number; readonly maxMemoryBytes: number }
}

export const statsCommand = new Command('stats')
  .description('count what Redis holds, by kind, and how much of it stands')
  .option('--limit <number>', 'how many entries to look at, at most', parseCount, 100_000)
  .option('--json', 'print as JSON')
  .action(async ({ limit, json }: StatsCommandOptions) => {
    const stats = await withEngineAndRedis(({ redis, namespace, cache, ledger, databases }) =>
      withProgress('Counting', async (onProgress): Promise<Stats> => {
        const kinds: Record<string, KindStats> = {}
        const scan = scanKeys(redis, { prefix: namespace, batch: BATCH, limit, onProgress })
        let batch = await scan.next()
        for (; !batch.done; batch = await scan.next()) {
          for (const { key, bytes, entry } of await readEntries(redis, batch.value)) {
            const kind = cache.kinds.find(({ prefix }) => key.startsWith(prefix))
            const name = kind?.name ?? OTHER
            kinds[name] ??= { entries: 0, bytes: 0, standing: 0, stale: 0, dead: 0, fallen: 0, unreadable: 0 }
            kinds[name].entries++
            kinds[name].bytes += bytes
            kinds[name][entry ? standingOf(entry, kind, ledger) : 'unreadable']++
          }
        }
        const { rows } = await databases.primary.query<{ records: number }>('select count(*) as records from stet.log')
        return {
          kinds: Object.fromEntries(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1))),
          complete: batch.value,
          log: { position: ledger.seen, epoch: ledger.epoch, records: Number(rows[0]?.records) },
          redis: await readMemory(redis),
        }
      }),
    )
    print(stats, { json, text: describe(stats) })
  })

/** Of no kind that there is now, it is read by nobody. */
function standingOf(entry: Entry, kind: NamedKind | undefined, ledger: Ledger): Standing {
  return kind?.explain(entry).standing ?? (ledger.stands(entry) ? 'dead' : 'fallen')
}

/** Of all servers together. */
async function readMemory(redis: GuardedRedis): Promise<Stats['redis']> {
  const texts = await Promise.all(redis.masters().map(async ({ client }) => (await client?.info('memory')) ?? ''))
  const sum = (name: string) =>
    texts.reduce((total, text) => total + Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0), 0)
  return { usedMemoryBytes: sum('used_memory'), maxMemoryBytes: sum('maxmemory') }
}

function describe({ kinds, complete, log, redis }: Stats): string {
  const columns = ['entries', 'bytes', 'standing', 'stale', 'dead', 'fallen', 'unreadable'] as const
  const row = (name: string, cells: readonly (string | number)[]) =>
    name.padEnd(22) + cells.map((cell) => String(cell).padStart(11)).join('')
  return [
    row('kind', columns),
    ...Object.entries(kinds).map(([name, stats]) =>
      row(
        name,
        columns.map((column) => stats[column]),
      ),
    ),
    ...(complete ? [] : ['… and more: that is the limit.']),
    '',
    `log      at ${log.position}, ${log.records} records, epoch ${log.epoch}`,
    `Redis    ${redis.usedMemoryBytes} bytes used, ${redis.maxMemoryBytes ? `${redis.maxMemoryBytes} at most` : 'no limit'}`,
  ].join('\n')
}

/** What is of no kind as it is defined now. */
const OTHER = '(other)'

/** Entries read at once. */
const BATCH = 100
