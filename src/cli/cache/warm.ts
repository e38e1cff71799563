import { Command, InvalidArgumentError } from 'commander'
import { Failure, parseCount, print, UsageError, withProgress } from '../command.ts'
import { withEngineAndRedis } from '../with-engine.ts'
import { loadHottest, type Warmed } from './warm-hottest.ts'

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
  .option('--url <base>', 'the node to send them to, such as http://127.0.0.1:4000', parseUrl)
  .option('--token <jwt>', 'the bearer token to send them with. Default: none, as a visitor')
  .option('--concurrency <number>', 'how many queries at once', parseCount, 8)
  .option('--limit <number>', 'how many of the most used entries, at most', parseCount, 10_000)
  .option('--json', 'print the result as JSON')
  .action(async ({ queries, url, token, concurrency, limit, json }: WarmCommandOptions) => {
    if ((queries === undefined) !== (url === undefined)) throw new UsageError('--queries and --url go together.')
    if (token !== undefined && queries === undefined) throw new UsageError('--token goes with --queries.')
    const warmed =
      queries !== undefined && url !== undefined
        ? await warmByQueries({ file: queries, url, token, concurrency })
        : await warmHottest(limit)
    for (const { what, message } of json ? [] : warmed.failed) console.error(`${what}: ${message}`)
    print(warmed, { json, text: describe(warmed, queries === undefined ? 'entries' : 'queries') })
    if (warmed.failed.length > 0) throw new Failure()
  })

async function warmByQueries(options: {
  readonly file: string
  readonly url: string
  readonly token: string | undefined
  readonly concurrency: number
}): Promise<Warmed> {
  // Imported here, because it loads graphql-js.
  const { readQueries, sendQueries } = await import('./warm-by-queries.ts')
  const queries = await readQueries(options.file)
  return withProgress('Warming', (onProgress) => sendQueries(queries, { ...options, onProgress }))
}

function warmHottest(limit: number): Promise<Warmed> {
  return withEngineAndRedis(({ config, ...engine }) =>
    withProgress('Warming', (onProgress) =>
      loadHottest({ ...engine, hotPrefix: `${config.redisKeyPrefix}hot:` }, { limit, onProgress }),
    ),
  )
}

function describe({ warmed, skipped, failed }: Warmed, what: string): string {
  if (what === 'entries' && warmed + skipped + failed.length === 0) return 'No node remembers hot entries in Redis.'
  const notes = [
    ...(skipped > 0 ? [`${skipped} skipped, which can't be loaded by their keys`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed: see above`] : []),
  ]
  return `Warmed ${[`${warmed} ${what}`, ...notes].join('; ')}.`
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('It must be a URL that begins with http:// or https://.')
  }
  return text.replace(/\/+(graphql\/*)?$/, '')
}
