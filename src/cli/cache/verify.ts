import { Command } from 'commander'
import type { Verdict } from '../../cache/index.ts'
import { Failure, parseCount, print, withProgress } from '../command.ts'
import { withEngineAndRedis } from '../with-engine.ts'
import { readAllEntries } from './stored-entries.ts'

export const verifyCommand = new Command('verify')
  .description('compare the entries in Redis with the database, and name every wrong one')
  .option('--limit <number>', 'how many entries to compare, at most', parseCount, 10_000)
  .option('--json', 'print the result as JSON')
  .action(async ({ limit, json }: { readonly limit: number; readonly json?: boolean }) => {
    const counts: Record<Verdict | 'unreadable', number> = { right: 0, wrong: 0, fallen: 0, unknown: 0, unreadable: 0 }
    const wrongKeys: string[] = []
    const complete = await withEngineAndRedis((engine) =>
      withProgress('Verifying', (onProgress) =>
        readAllEntries(engine, { limit, onProgress }, async (stored) => {
          const entries = stored.flatMap(({ entry }) => entry ?? [])
          const standing = entries.filter((entry) => engine.ledger.stands(entry))
          counts.unreadable += stored.length - entries.length
          // Fallen entries are not compared, because they are never served.
          counts.fallen += entries.length - standing.length
          const verdicts = await engine.cache.verify(standing)
          for (const verdict of verdicts) counts[verdict]++
          wrongKeys.push(...standing.filter((_, index) => verdicts[index] === 'wrong').map(({ key }) => key))
        }),
      ),
    )
    const text = [
      ...wrongKeys.map((key) => `wrong: ${key}`),
      Object.entries(counts)
        .map(([verdict, count]) => `${count} ${verdict}`)
        .join(', ') + (complete ? '.' : '. That is the limit: there are more.'),
    ]
    print({ ...counts, wrongKeys, complete }, { json, text: text.join('\n') })
    if (counts.wrong > 0) throw new Failure()
  })
