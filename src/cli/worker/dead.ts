import { Command, InvalidArgumentError } from 'commander'
import type { Kysely } from 'kysely'
import { operatorAct, recordAct, type Tables } from '../../database/index.ts'
import { type DeadLetter, queueKey, RedisStream } from '../../worker/index.ts'
import { Failure, parseCount, print, UsageError } from '../command.ts'
import { withEngineAndRedis } from '../with-engine.ts'

interface DeadCommandOptions {
  readonly queue: string
  readonly limit: number
  readonly all?: boolean
  readonly json?: boolean
}

export const deadCommand = new Command('dead')
  .description('list, replay or drop the jobs that could not be applied')
  .addCommand(
    deadCommandOf('list', 'print the jobs that could not be applied, and why, oldest first').action(
      async ({ queue, limit, json }: DeadCommandOptions) => {
        const letters = await withStream(queue, (stream) => stream.letters(limit))
        print(letters, { json, text: letters.length === 0 ? 'None.' : letters.map(describe).join('\n') })
      },
    ),
  )
  .addCommand(
    chosenCommandOf('replay', 'queue such jobs once more', (replayed, json) =>
      print({ replayed }, { json, text: `Queued ${replayed} once more.` }),
    ),
  )
  .addCommand(
    chosenCommandOf('drop', 'delete such jobs for good', (dropped, json) =>
      print({ dropped }, { json, text: `Dropped ${dropped}.` }),
    ),
  )

function deadCommandOf(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--queue <name>', 'the queue they were in', 'views')
    .option('--limit <number>', 'how many at most', parseCount, 1000)
    .option('--json', 'print as JSON')
}

/** A command that replays or drops the letters with the given ids, or all. `tell` prints how many there were. */
function chosenCommandOf(
  act: 'replay' | 'drop',
  description: string,
  tell: (count: number, json: boolean | undefined) => void,
): Command {
  return deadCommandOf(act, description)
    .argument('[id...]', 'which ones, as `list` prints them', parseIds)
    .option('--all', 'the first --limit of them')
    .action(async (ids: readonly string[] = [], { queue, limit, all, json }: DeadCommandOptions) => {
      if (ids.length > 0 === (all ?? false)) throw new UsageError('Say which: either ids, or --all.')
      const count = await withStream(queue, async (stream, primary) => {
        const chosen = all ? (await stream.letters(limit)).map(({ id }) => id) : ids
        // Before it is done: Redis takes no part in a transaction.
        await recordAct(primary, operatorAct(`worker dead ${act}`), chosen)
        const missing: string[] = []
        for (const id of chosen) if (!(await stream[act](id))) missing.push(id)
        if (missing.length > 0 && !all) {
          console.error(`stet: There is no dead letter ${missing.join(', ')} in ${queue}.`)
          throw new Failure()
        }
        return chosen.length - missing.length
      })
      tell(count, json)
    })
}

function withStream<T>(queue: string, work: (stream: RedisStream, primary: Kysely<Tables>) => Promise<T>): Promise<T> {
  return withEngineAndRedis(async ({ redis, config, worker, databases }) => {
    if (!worker.queues.includes(queue)) {
      throw new UsageError(`There is no queue ${queue}, but ${worker.queues.join(', ')}.`)
    }
    const key = queueKey(`${config.redisKeyPrefix}queue:`, queue)
    return work(new RedisStream({ redis, key, maxEntries: config.queueMaxEntries }), databases.database.primary)
  })
}

const describe = ({ id, buriedAt, job, error, attempts }: DeadLetter): string =>
  `${id}  ${buriedAt}  ${job}  ${error} (${attempts} attempts)`

function parseIds(text: string, previous: readonly string[] = []): readonly string[] {
  if (!/^\d+-\d+$/.test(text)) throw new InvalidArgumentError('It must be an id such as 1767225600000-0.')
  return [...previous, text]
}
