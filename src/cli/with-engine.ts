import { type Config, ConfigError, readConfig } from '../app/config.ts'
import type { Engine } from '../app/open-engine.ts'
import { type OpenDatabases, operatorAct } from '../database/index.ts'
import { type Context, RequestContext } from '../graphql/resolving/index.ts'
import { createLogger } from '../kernel/logger.ts'
import type { GuardedRedis } from '../redis/index.ts'
import type { Worker } from '../worker/index.ts'

/** What a command has of a node: all but its API. */
export interface CommandEngine extends Engine {
  readonly config: Config
  readonly worker: Worker
  /** A command may do what an admin may. */
  readonly context: Context
  /** Rejects if Redis did not take everything. */
  flush(): Promise<void>
}

/**
 * Runs `work` with the engine of a node that is configured alike, up to date with the log.
 * @param command the words of a command that writes, for its audit records
 */
export async function withEngine<T>(work: (engine: CommandEngine) => Promise<T>, command?: string): Promise<T> {
  const given = readConfig()
  // The user of a command can wait longer for Redis than a client for its answer.
  const config = { ...given, redisTimeoutMs: Math.max(given.redisTimeoutMs, REDIS_TIMEOUT_MS) }
  // The command itself says what failed.
  const logger = createLogger('silent')
  // Imported here, so that no other command waits until an engine is loaded.
  const [{ openEngine }, { openRooms }] = await Promise.all([
    import('../app/open-engine.ts'),
    import('../app/open-rooms.ts'),
  ])
  let redisFailure: Error | undefined
  const onRedisError = (error: Error) => {
    redisFailure = error
  }
  const engine = await openEngine({ config, logger, observer: { onRedisError }, prepare: checkMigrated })
  try {
    const { worker } = openRooms({ config, logger, engine })
    const { cache, databases, follower, ledger } = engine
    const context = new RequestContext(
      { cache, database: databases.database, follower, ledger },
      {
        requestId: 'command line',
        viewer: { kind: 'admin', userId: undefined },
        address: 'command line',
        ...(command !== undefined && { act: operatorAct(command) }),
        bypass: false,
        position: 0,
        unsure: false,
      },
    )
    const flush = async () => {
      await engine.flush()
      if (redisFailure) throw new Error(`Redis did not take all of it: ${redisFailure.message}`)
    }
    if (engine.redis?.client.status === 'ready') redisFailure = undefined
    return await work({ ...engine, config, worker, context, flush })
  } finally {
    await engine.close()
  }
}

export interface EngineWithRedis extends CommandEngine {
  readonly redis: GuardedRedis
}

/** The same for commands about what Redis holds. Throws if it isn't configured or can't be reached. */
export function withEngineAndRedis<T>(work: (engine: EngineWithRedis) => Promise<T>, command?: string): Promise<T> {
  return withEngine(async (engine) => {
    const { redis, config } = engine
    if (!redis) throw new ConfigError('REDIS_URL is not set, and this is about what Redis holds.')
    if (redis.client.status !== 'ready') throw new Error(`Redis at ${whereRedisIs(config)} could not be reached.`)
    return work({ ...engine, redis })
  }, command)
}

function whereRedisIs({ redisUrl, redisCluster, redisSentinels }: Config): string {
  const addresses = redisCluster ?? redisSentinels
  return addresses?.map(({ host, port }) => `${host}:${port}`).join(', ') ?? new URL(redisUrl ?? '').host
}

/** A command that only reads must not migrate. */
async function checkMigrated({ primary }: OpenDatabases): Promise<void> {
  const { rows } = await primary.query<{ log: boolean; content: boolean }>(
    `select to_regclass('stet.log') is not null as log, to_regclass('articles') is not null as content`,
  )
  if (!rows[0]?.log) throw new Error('The database has no log yet: run `stet migrate` first.')
  if (!rows[0].content) throw new Error('DATABASE_SCHEMA holds no articles: run `stet migrate` first.')
}

const REDIS_TIMEOUT_MS = 5000
