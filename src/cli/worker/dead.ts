import { Command, InvalidArgumentError, Option } from 'commander'
import { type DeadLetter, queueKey, RedisStream } from '../../worker/index.ts'
import { Failure, print, UsageError } from '../output.ts'
import { parseCount } from '../parse-count.ts'
import { withEngineAndRedis } from '../with-engine.ts'

interface DeadCommandOptions {
  readonly queue: string
  readonly limit: number
  readonly all?: boolean
  readonly json?: boolean
}

const listCommand = deadCommandOf('list', 'print the jobs that could not be applied, and why, oldest first').action(
  async ({ queue, limit, json }: DeadCommandOptions) => {
    const letters = await withStream(queue, (stream) => stream.letters(limit))
    print(letters, { json, text: letters.length === 0 ? 'None.' : letters.map(describe).join('\n') })
  },
)

const replayCommand = deadCommandOf('replay', 'queue such jobs once more')
  .argument('[id...]', 'which ones, as `list` prints them', parseIds)
  .option('--all', 'the first --limit of them')
  .action(async (ids: readonly string[] | undefined, options: DeadCommandOptions) => {
    const done = await forEach(ids, options, (stream, id) => stream.replay(id))
    print({ replayed: done }, { json: options.json, text: `Queued ${done} once more.` })
  })

const dropCommand = deadCommandOf('drop', 'delete such jobs for good')
  .argument('[id...]', 'which ones, as `list` prints them', parseIds)
  .option('--all', 'the first --limit of them')
  .action(async (ids: readonly string[] | undefined, options: DeadCommandOptions) => {
    const done = await forEach(ids, options, (stream, id) => stream.drop(id))
    print({ dropped: done }, { json: options.json, text: `Dropped ${done}.` })
  })

export const deadCommand = new Command('dead')
  .description('list, replay or drop the jobs that could not be applied')
  .addCommand(listCommand)
  .addCommand(replayCommand)
  .addCommand(dropCommand)

function deadCommandOf(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('--queue <name>', 'the queue they were in').default('views'))
    .option('--limit <number>', 'how many at most', parseCount, 1000)
    .option('--json', 'print as JSON')
}

function withStream<T>(queue: string, work: (stream: RedisStream) => Promise<T>): Promise<T> {
  return withEngineAndRedis(async ({ redis, config, worker }) => {
    if (!worker.queues.includes(queue)) {
      throw new UsageError(`There is no queue ${queue}, but ${worker.queues.join(', ')}.`)
    }
    const key = queueKey(`${config.redisKeyPrefix}queue:`, queue)
    return work(new RedisStream({ redis, key, maxEntries: config.queueMaxEntries }))
  })
}

/** Does `act` to the letters with these ids, or to all. Returns how many there were. Throws a Failure if an id is unknown. */
async function forEach(
  ids: readonly string[] = [],
  { queue, limit, all }: DeadCommandOptions,
  act: (stream: RedisStream, id: string) => Promise<boolean>,
): Promise<number> {
  if (ids.length > 0 === (all ?? false)) throw new UsageError('Say which: either ids, or --all.')
  return withStream(queue, async (stream) => {
    const chosen = all ? (await stream.letters(limit)).map(({ id }) => id) : ids
    const missing: string[] = []
    for (const id of chosen) if (!(await act(stream, id))) missing.push(id)
    if (missing.length > 0 && !all) {
      console.error(`stet: There is no dead letter ${missing.join(', ')} in ${queue}.`)
      throw new Failure()
    }
    return chosen.length - missing.length
  })
}

const describe = ({ id, buriedAt, job, error, attempts }: DeadLetter): string =>
  `${id}  ${buriedAt}  ${job}  ${error} (${attempts} attempts)`

function parseIds(text: string, previous: readonly string[] = []): readonly string[] {
  if (!/^\d+-\d+$/.test(text)) throw new InvalidArgumentError('It must be an id such as 1767225600000-0.')
  return [...previous, text]
}
