import { Command, InvalidArgumentError } from 'commander'
import { RESPONSES } from '../../answers/index.ts'
import { parseDate } from '../../content/index.ts'
import { touch } from '../../domain/admin/index.ts'
import { parseCount, print, UsageError, withProgress } from '../command.ts'
import { type EngineWithRedis, withEngineAndRedis } from '../with-engine.ts'
import { readEntries, scanKeys } from './stored-entries.ts'

interface PurgeCommandOptions {
  readonly pattern?: string
  readonly storedBefore?: Date
  readonly all?: boolean
  readonly limit: number
  readonly json?: boolean
}

export const purgeCommand = new Command('purge')
  .description('drop entries by their keys, from Redis and from the memory of every node; `invalidate` does it by tag')
  .option('--pattern <glob>', 'entries whose keys match, such as "article-list.*"', checkPattern)
  .option('--stored-before <instant>', 'entries stored before then, such as 2026-01-31T12:00:00Z', parseInstant)
  .option('--all', 'every entry')
  .option('--limit <number>', 'how many at most', parseCount, 100_000)
  .option('--json', 'print the result as JSON')
  .action(async ({ pattern, storedBefore, all, limit, json }: PurgeCommandOptions) => {
    if (pattern === undefined && storedBefore === undefined && !all) {
      throw new UsageError('Say which entries: --pattern, --stored-before, or --all.')
    }
    const result = await withEngineAndRedis(
      (engine) =>
        withProgress('Purging', async (onProgress) => {
          const { redis, namespace, context } = engine
          const rest = pattern?.startsWith(namespace) ? pattern.slice(namespace.length) : pattern
          let purged = 0
          for await (const keys of scanKeys(redis, { prefix: namespace, pattern: rest, batch: BATCH, onProgress })) {
            const chosen = (storedBefore ? await storedEarlier(engine, keys, storedBefore) : keys).slice(
              0,
              limit - purged,
            )
            if (chosen.length === 0) continue
            // An entry's key is one of its tags, but not one of the tags of answers that use the entry: RESPONSES drops all
            // answers. The log is written first: if that fails, nothing was purged.
            await context.write((transaction) => touch(transaction, [...chosen, RESPONSES]))
            await redis.each(chosen, (client, key) => client.unlink(key))
            purged += chosen.length
            if (purged >= limit) return { purged, complete: false }
          }
          return { purged, complete: true }
        }),
      'cache purge',
    )
    const more = result.complete ? '' : ' That is the limit: there may be more.'
    print(result, { json, text: `Purged ${result.purged} entries.${more}` })
  })

async function storedEarlier(engine: EngineWithRedis, keys: readonly string[], than: Date): Promise<string[]> {
  const stored = await readEntries(engine, keys)
  return stored.filter(({ entry }) => entry && entry.storedAtMs < than.getTime()).map(({ key }) => key)
}

function checkPattern(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

function parseInstant(text: string): Date {
  const date = parseDate(text)
  if (date === undefined) throw new InvalidArgumentError('It must be an instant such as 2026-01-31T12:00:00Z.')
  return new Date(date)
}

/** Keys in one record of the log. */
const BATCH = 500
