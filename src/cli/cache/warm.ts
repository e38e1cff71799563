import { Command, InvalidArgumentError } from 'commander'
import { parseUrl } from '../../kernel/parse-url.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { Failure, parseCount, print, UsageError, withProgress } from '../command.ts'
import { withEngineAndRedis } from '../with-engine.ts'
import { ENTRIES_AT_ONCE, scanKeys } from './stored-entries.ts'
import type { Warmed } from './warm-by-queries.ts'

interface WarmCommandOptions {
  readonly queries?: string
  readonly url?: string
  readonly token?: string
  readonly concurrency: number
  readonly limit: number
  readonly json?: boolean
}

export const warmCommand = new Command('warm')
  .description('fill the cache with the entries that nodes remember as the most used, or by sending queries')
  .option('--queries <file>', 'GraphQL with one or more queries, or a JSON array of { query, variables }')
  .option('--url <base>', 'the node to send them to, such as http://127.0.0.1:4000', readUrl)
  .option('--token <jwt>', 'the bearer token to send them with. Default: none, as a visitor')
  .option('--concurrency <number>', 'how many queries at once', parseCount, 8)
  .option('--limit <number>', 'how many of the most used entries, at most', parseCount, 10_000)
  .option('--json', 'print the result as JSON')
  .action(async ({ queries: file, url, token, concurrency, limit, json }: WarmCommandOptions) => {
    if ((file === undefined) !== (url === undefined)) throw new UsageError('--queries and --url go together.')
    if (token !== undefined && file === undefined) throw new UsageError('--token goes with --queries.')
    let warmed: Warmed
    if (file !== undefined && url !== undefined) {
      // Imported here, because it loads graphql-js.
      const { warmByQueries } = await import('./warm-by-queries.ts')
      warmed = await warmByQueries(file, { url, token, concurrency })
    } else {
      warmed = await warmHottest(limit)
    }
    for (const { what, message } of json ? [] : warmed.failed) console.error(`${what}: ${message}`)
    print(warmed, { json, text: describe(warmed, file === undefined ? 'entries' : 'queries') })
    if (warmed.failed.length > 0) throw new Failure()
  })

/** Loads the entries that nodes remember as their most used, most used first, and stores them in Redis. */
function warmHottest(limit: number): Promise<Warmed> {
  return withEngineAndRedis(({ redis, cache, config, flush }) =>
    withProgress('Warming', async (onProgress) => {
      const hottest = (await readHottest(redis, `${config.redisKeyPrefix}hot:`)).slice(0, limit)
      const failed: { what: string; message: string }[] = []
      let skipped = 0
      let done = 0

      const load = async (kindName: string, keys: readonly string[]): Promise<void> => {
        try {
          const loading = cache.find(kindName)?.getByText(keys, { fresh: true })
          if (!loading) skipped += keys.length
          else await loading
        } catch (error) {
          const [key] = keys
          // Another key of the batch may be at fault: retry each key alone.
          if (keys.length > 1) for (const each of keys) await load(kindName, [each])
          else failed.push({ what: `${kindName} ${key}`, message: (error as Error).message })
        }
      }

      for (const { kind, keys } of batchesOf(hottest)) {
        await load(kind, keys)
        done += keys.length
        onProgress({ done, total: hottest.length })
      }
      await flush()
      return { warmed: hottest.length - skipped - failed.length, skipped, failed }
    }),
  )
}

interface HotEntry {
  readonly kind: string
  readonly key: string
  readonly count: number
}

/** The entries that any node remembers, with the sums of their counts, most used first. */
async function readHottest(redis: GuardedRedis, hotPrefix: string): Promise<HotEntry[]> {
  const sums = new Map<string, HotEntry>()
  for await (const names of scanKeys(redis, { prefix: hotPrefix })) {
    for (const text of await redis.each(names, (client, name) => client.get(name))) {
      for (const { kind, key, count } of parseHot(text as string | null)) {
        const id = JSON.stringify([kind, key])
        sums.set(id, { kind, key, count: count + (sums.get(id)?.count ?? 0) })
      }
    }
  }
  return [...sums.values()].sort((a, b) => b.count - a.count)
}

/** Ignores whatever has another form, because another version may have written it. */
function parseHot(text: string | null): HotEntry[] {
  try {
    const items: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(items)) return []
    return items.flatMap((item: unknown) => {
      const [kind, key, count] = Array.isArray(item) ? item : []
      return typeof kind === 'string' && typeof key === 'string' && Number.isFinite(count) ? [{ kind, key, count }] : []
    })
  } catch {
    return []
  }
}

/** Batches of keys of one kind each. A batch is yielded as soon as it is full, so that the most used entries come first. */
function* batchesOf(entries: readonly HotEntry[]): Generator<{ readonly kind: string; readonly keys: string[] }> {
  const open = new Map<string, string[]>()
  for (const { kind, key } of entries) {
    const keys = open.get(kind) ?? []
    open.set(kind, keys)
    keys.push(key)
    if (keys.length < ENTRIES_AT_ONCE) continue
    yield { kind, keys }
    open.delete(kind)
  }
  for (const [kind, keys] of open) yield { kind, keys }
}

function describe({ warmed, skipped, failed }: Warmed, what: string): string {
  if (what === 'entries' && warmed + skipped + failed.length === 0) return 'No node remembers hot entries in Redis.'
  const notes = [
    ...(skipped > 0 ? [`${skipped} skipped, which can't be loaded by their keys`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed: see above`] : []),
  ]
  return `Warmed ${[`${warmed} ${what}`, ...notes].join('; ')}.`
}

function readUrl(text: string): string {
  if (!/^https?:$/.test(parseUrl(text)?.protocol ?? '')) {
    throw new InvalidArgumentError('It must be a URL that begins with http:// or https://.')
  }
  return text.replace(/\/+(graphql\/*)?$/, '')
}
