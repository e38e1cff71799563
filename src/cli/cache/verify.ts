import { Command } from 'commander'
import type { Verdict } from '../../cache/index.ts'
import { Failure, print, withProgress } from '../output.ts'
import { parseCount } from '../parse-count.ts'
import { withEngineAndRedis } from '../with-engine.ts'
import { readEntries } from './read-entries.ts'
import { scanKeys } from './scan-keys.ts'

interface VerifyCommandOptions {
  readonly limit: number
  readonly json?: boolean
}

export const verifyCommand = new Command('verify')
  .description('compare what Redis holds with the database, and name every entry that is wrong')
  .option('--limit <number>', 'how many entries to compare, at most', parseCount, 10_000)
  .option('--json', 'print the result as JSON')
  .action(async ({ limit, json }: VerifyCommandOptions) => {
    const counts: Record<Verdict | 'unreadable', number> = { right: 0, wrong: 0, fallen: 0, unknown: 0, unreadable: 0 }
    const wrongKeys: string[] = []
    const complete = await withEngineAndRedis(({ redis, namespace, cache, ledger }) =>
      withProgress('Verifying', async (onProgress) => {
        const scan = scanKeys(redis, { prefix: namespace, batch: BATCH, limit, onProgress })
        let batch = await scan.next()
        for (; !batch.done; batch = await scan.next()) {
          const stored = await readEntries(redis, batch.value)
          const entries = stored.flatMap(({ entry }) => entry ?? [])
          const standing = entries.filter((entry) => ledger.stands(entry))
          counts.unreadable += stored.length - entries.length
          // Nobody is given them, so they needn't be loaded.
          counts.fallen += entries.length - standing.length
          const verdicts = await cache.verify(standing)
          for (const verdict of verdicts) counts[verdict]++
          wrongKeys.push(...standing.filter((_, index) => verdicts[index] === 'wrong').map(({ key }) => key))
        }
        return batch.value
      }),
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

/** As many as the source is asked for in one statement. */
const BATCH = 100
