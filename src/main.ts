import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { articlesRoom } from './articles/index.ts'
import { Cache, Ledger, type Policy, RedisTier } from './cache/index.ts'
import type { Config } from './config.ts'
import { loadSampleContent } from './content/index.ts'
import { migrate } from './database/migrate.ts'
import { openDatabases } from './database/open-databases.ts'
import { whileEmpty } from './database/while-empty.ts'
import { createApi } from './graphql/api.ts'
import { Metrics } from './http/metrics.ts'
import { createServer } from './http/server.ts'
import { Follower, Log, NotifyLoudspeaker, RedisLoudspeaker, startPruner } from './invalidation/index.ts'
import type { Logger } from './kernel/logger.ts'
import { sparingly } from './kernel/sparingly.ts'
import { openRedis } from './redis.ts'
import { createAuthenticate } from './request/authenticate.ts'
import { tagsRoom } from './tags/index.ts'
import { type DemoTokens, makeDemoTokens, tokenKeys } from './token-keys.ts'
import { usersRoom } from './users/index.ts'

export interface StartOptions {
  readonly config: Config
  readonly logger: Logger
  /** Fill an empty database with the sample content. */
  readonly sample?: boolean
}

export interface Node {
  /** Where it listens. */
  readonly url: string
  /** Where its data is. */
  readonly where: string
  /** Ready-made, in demo mode. */
  readonly demoTokens: DemoTokens | undefined
  readonly cache: Cache
  readonly ledger: Ledger
  /** Resolves once what was filled is in Redis too. */
  flush(): Promise<void>
  /** Stops accepting, lets requests in flight finish, and closes every client. */
  close(): Promise<void>
}

/** Builds a node and starts it. The only place that wires. */
export async function startNode(options: StartOptions): Promise<Node> {
  const closers: (() => unknown)[] = []
  const close = async () => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer()
  }
  try {
    return { ...(await wire(options, (closer) => closers.push(closer))), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** @param onClose what was opened last is closed first */
async function wire(
  { config, logger, sample }: StartOptions,
  onClose: (closer: () => unknown) => void,
): Promise<Omit<Node, 'close'>> {
  const keys = tokenKeys(config)
  const ledger = new Ledger()
  const metrics = new Metrics(ledger)
  const warn = (message: string) => sparingly((err, untold) => logger.warn({ err, untold }, message))

  // PostgreSQL
  const databases = await openDatabases({
    url: config.databaseUrl,
    replicaUrl: config.databaseReplicaUrl,
    dataDirectory: config.dataDirectory,
    poolMax: config.databasePoolMax,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    onStatement: metrics.onStatement,
    onError: warn('An idle database connection broke'),
  })
  onClose(databases.close)
  const { database } = databases
  await migrate(database.primary, (name) => logger.info({ migration: name }, 'Migrated'))
  if (sample) await whileEmpty(database.primary, loadSampleContent)

  // Redis
  const warnOfRedis = warn('Redis failed: what it held is read from PostgreSQL')
  const onRedisError = (error: Error) => {
    metrics.onRedisError()
    warnOfRedis(error)
  }
  const redis =
    config.redisUrl === undefined
      ? undefined
      : openRedis({ url: config.redisUrl, timeoutMs: config.redisTimeoutMs, onError: onRedisError })
  if (redis) {
    onClose(redis.close)
    await redis.whenReady()
  }

  // Invalidation: from the log to this node's ledger, and to everybody else's
  const warnOfLog = warn('The log could not be read')
  const log = new Log(databases.primary)
  const { commands: publisher, subscriber } = redis ?? {}
  const follower = new Follower({
    log,
    ledger,
    beatMs: config.logBeatMs,
    loudspeakers: [
      ...(publisher && subscriber
        ? [
            new RedisLoudspeaker({
              publisher,
              subscriber,
              channel: `${config.redisKeyPrefix}log`,
              onError: onRedisError,
            }),
          ]
        : []),
      // Where Redis brings the records themselves, a bare "there is more" can wait for them.
      ...(databases.listen
        ? [
            new NotifyLoudspeaker({
              connect: databases.listen,
              patienceMs: redis ? 20 : 0,
              onError: warn('Listening for NOTIFY'),
            }),
          ]
        : []),
    ],
    observer: {
      ...metrics.follower,
      onNewEpoch: (why) => {
        metrics.follower.onNewEpoch?.(why)
        logger.error({ why }, 'The log has another history than this node saw: everything cached before is void')
      },
      onError: (error) => {
        metrics.follower.onError?.(error)
        warnOfLog(error)
      },
    },
  })
  onClose(() => follower.stop())
  await follower.start()
  const { logKeepRecords: keepRecords, logKeepMs: keepMs } = config
  onClose(startPruner({ log, keepRecords, keepMs, onError: warn('The log could not be pruned') }))

  // The cache
  const remote =
    redis &&
    new RedisTier({
      redis: redis.commands,
      subscriber: redis.subscriber,
      channel: `${config.redisKeyPrefix}leases`,
      leasePrefix: `${config.redisKeyPrefix}lease:`,
      lingerMs: config.redisLingerMs,
      onError: onRedisError,
      onRoundTrip: metrics.onRedisRoundTrip,
    })
  if (remote) onClose(() => remote.stop())
  const cache = new Cache({
    ledger,
    settle: () => follower.settle(),
    ...(remote && { remote }),
    memoryMaxBytes: config.cacheMemoryMaxBytes,
    defaults: policyDefaults(config),
    namespace: `${config.redisKeyPrefix}${config.cacheVersion}:`,
    observer: { ...metrics.cache, onRemoteError: onRedisError },
  })

  // The rooms, and the API they make up
  const users = usersRoom({ cache, database, ttlMs: config.cacheTtlUserMs })
  const tags = tagsRoom({ cache, database, ttlMs: config.cacheTtlTagMs })
  const articles = articlesRoom({
    cache,
    database,
    users: users.entries,
    tags: tags.entries,
    ttlMs: config.cacheTtlArticleMs,
    listTtlMs: config.cacheTtlArticleListMs,
  })
  const api = createApi({
    rooms: [users, tags, articles],
    ledger,
    maxComplexity: config.queryMaxComplexity,
    onUnexpected: (error, requestId) => logger.error({ err: error, requestId }, 'A request failed'),
    onRequest: metrics.onGraphQLRequest,
  })
  await api.start()
  onClose(() => api.stop())

  // HTTP
  const demoTokens = await makeDemoTokens(keys, database)
  const app = await createServer({
    api,
    authenticate: createAuthenticate(keys),
    database,
    follower,
    ledger,
    catchUpTimeoutMs: config.catchUpTimeoutMs,
    shutdownDelayMs: config.shutdownDelayMs,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    metrics,
    health: {
      postgresql: { required: true, check: () => databases.primary.query('select 1') },
      ...(redis && { redis: { required: false, check: () => redis.commands.ping() } }),
    },
    playground: {
      directory: fileURLToPath(new URL('../dist/playground', import.meta.url)),
      version,
      ...(demoTokens && { demoToken: demoTokens.admin }),
    },
    logger,
  })
  onClose(() => app.close())
  const url = await app.listen({ port: config.port, host: config.host })
  return { url, where: databases.where, demoTokens, cache, ledger, flush: async () => remote?.flush() }
}

/** The part of every kind's policy that is configured. */
function policyDefaults(config: Config): Partial<Policy> {
  const { cacheGraceMs, cacheGraceIfErrorMs, cacheLoadTimeoutSoftMs: softMs, cacheLoadTimeoutMs: hardMs } = config
  return {
    jitter: config.cacheTtlJitter,
    grace: { staleWhileRevalidateMs: cacheGraceMs, staleIfErrorMs: cacheGraceIfErrorMs },
    earlyRefresh: config.cacheEarlyRefresh,
    loadTimeout: { softMs, hardMs },
    leaseMs: config.cacheLeaseMs,
    compressAboveBytes: config.cacheCompressAboveBytes,
    maxBytes: config.cacheMaxEntryBytes,
  }
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
