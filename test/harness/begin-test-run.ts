import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { chooseSources, describe, type ServerSource } from './choose-sources.ts'
import { deleteKeysOfRun } from './create-redis-prefix.ts'
import { dropDatabasesOfRun } from './create-test-database.ts'
import { isRunning } from './process-tree.ts'
import { runParents } from './run-parent.ts'
import { discardServerDirectory } from './server-directory.ts'
import { startPostgresBy } from './start-postgres.ts'
import { startRedisBy } from './start-redis.ts'
import { announceTestRun, getTestRun } from './test-run.ts'

export interface TestRunOptions {
  /** Holds the directory of the run. Default: where temporary files are */
  readonly parent?: string
}

/**
 * Decides where servers come from, says so on stderr, and starts those that all tests share. Once per run, in the
 * process that outlives all workers.
 */
export async function beginTestRun({ parent = tmpdir() }: TestRunOptions = {}): Promise<void> {
  discardAbandonedRuns()
  const sources = await chooseSources()
  process.stderr.write(`servers: PostgreSQL ${describe(sources.postgres)}, Redis ${describe(sources.redis)}\n`)
  const directory = mkdtempSync(join(parent, `${runPrefix}${process.pid}-`))
  chmodSync(directory, 0o755) // PostgreSQL runs as another user
  discardAtExit(directory)
  const [postgres, redis] = await Promise.all([
    startShared(sources.postgres, (means) => startPostgresBy(means, directory, {})),
    startShared(sources.redis, (means) => startRedisBy(means, directory, {})),
  ])
  stopShared = () => Promise.all([postgres.stop(), redis.stop()])
  const id = randomBytes(4).toString('hex')
  announceTestRun({ ...sources, id, directory, postgresUrl: postgres.url, redisUrl: redis.url })
}

/** Stops every server of the run, also those that a test forgot, and leaves nothing on disk or on a given server. */
export async function endTestRun(): Promise<void> {
  const { id, directory, postgres, redis, postgresUrl, redisUrl } = getTestRun()
  if (postgres.shared.kind === 'given') await dropDatabasesOfRun(postgresUrl, id)
  if (redis.shared.kind === 'given') await deleteKeysOfRun(redisUrl, id)
  await stopShared()
  discardRun(directory)
  announceTestRun(undefined)
}

let stopShared: () => Promise<unknown> = async () => {}

async function startShared(
  { shared }: ServerSource,
  start: (means: Exclude<ServerSource['shared'], { kind: 'given' }>) => Promise<Shared>,
): Promise<Shared> {
  return shared.kind === 'given' ? { url: shared.url, stop: async () => {} } : start(shared)
}

interface Shared {
  readonly url: string
  stop(): Promise<void>
}

const runPrefix = 'stet-test-'

/** What a run of ours left that was itself killed: the directory's name tells which process it belonged to. */
function discardAbandonedRuns(): void {
  const directories = runParents().flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)))
  for (const directory of directories) {
    const name = basename(directory)
    const pid = Number(new RegExp(`^${runPrefix}(\\d+)-`).exec(name)?.[1])
    if (pid > 0 && !isRunning(pid) && statSync(directory).uid === process.getuid?.()) discardRun(directory)
  }
}

function discardRun(directory: string): void {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory)) discardServerDirectory(join(directory, name))
  rmSync(directory, { recursive: true, force: true })
}

/** Containers need no such care: testcontainers' reaper removes them when this process is gone. */
function discardAtExit(directory: string): void {
  process.once('exit', () => discardRun(directory))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]))
  }
}
