import { codeFingerprint, EncodedAnswers, ResponseCache, Trace, tracing } from '../answers/index.ts'
import { Cache, type CacheObserver, Ledger, type Policy, RedisTier } from '../cache/index.ts'
import { explainConnectionError, type OpenDatabases, openDatabases, type SentStatement } from '../database/index.ts'
import { adminRoom } from '../domain/admin/index.ts'
import { articlesRoom } from '../domain/articles/index.ts'
import { tagsRoom } from '../domain/tags/index.ts'
import { usersRoom } from '../domain/users/index.ts'
import { PersistedQueries } from '../graphql/operation/index.ts'
import { createRateLimit } from '../graphql/resolving/index.ts'
import type { Room } from '../graphql/schema/index.ts'
import { Follower, type FollowerObserver, Log, NotifyLoudspeaker, RedisLoudspeaker } from '../invalidation/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { openTogether } from '../kernel/open-together.ts'
import { sparingly } from '../kernel/sparingly.ts'
import { type BreakerState, type GuardedRedis, isRefusal, openRedis, type RedisServers } from '../redis/index.ts'
import { Worker, type WorkerObserver } from '../worker/index.ts'
import type { Config } from './config.ts'

export interface OpenEngineOptions {
  readonly config: Config
  readonly logger: Logger
  /** Default: one of its own. */
  readonly ledger?: Ledger
  readonly observer?: EngineObserver
  /** What must be done with the databases before the log in them is followed: migrations, say. */
  readonly prepare?: (databases: OpenDatabases) => Promise<unknown>
}

/** What happens inside, for metrics. */
interface EngineObserver {
  readonly cache?: CacheObserver
  readonly follower?: FollowerObserver
  readonly worker?: WorkerObserver
  onStatement?(statement: SentStatement): void
  onRedisRoundTrip?(): void
  onRedisError?(error: Error): void
  onBreaker?(name: string, state: BreakerState | 'gone'): void
}

/** Databases, Redis, the log that is followed, the cache, and all that is cached: a node without its API. */
export interface Engine {
  readonly databases: OpenDatabases
  readonly log: Log
  readonly ledger: Ledger
  readonly follower: Follower
  /** Undefined where there is none: memory alone. Fails at once where it isn't connected. */
  readonly redis: GuardedRedis | undefined
  readonly cache: Cache
  /** Begins every key of the cache. */
  readonly namespace: string
  /** Whole answers. */
  readonly responses: ResponseCache
  readonly encoded: EncodedAnswers
  readonly persistedQueries: PersistedQueries
  readonly rooms: readonly Room[]
  /** Does what the rooms leave for later, once it is started. */
  readonly worker: Worker
  /** Resolves once what was filled is in Redis too. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Opens an engine: resolves once its ledger stands at the log's tip. For servers, and for commands that do their work and end. */
export function openEngine(options: OpenEngineOptions): Promise<Engine> {
  return openTogether((onClose) => wire(options, onClose))
}

async function wire(
  { config, logger, ledger = new Ledger(), observer = {}, prepare }: OpenEngineOptions,
  onClose: (closer: () => unknown) => void,
): Promise<Omit<Engine, 'close'>> {
  const warn = (message: string) => sparingly((err, untold) => logger.warn({ err, untold }, message))
  const tellOfBreaker = breakerTeller(logger)

  // PostgreSQL
  const databases = await openDatabases({
    url: config.databaseUrl,
    replicaUrl: config.databaseReplicaUrl,
    dataDirectory: config.dataDirectory,
    poolMax: config.databasePoolMax,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    loads: {
      // The rest is for writes, and so the other way round: one that hangs must not take the other with it.
      concurrent: config.databaseLoadsMax ?? Math.max(1, config.databasePoolMax - 2),
      queued: config.databaseLoadsQueue,
      waitMs: config.databaseLoadsWaitMs,
    },
    writes: {
      concurrent: config.databaseWritesMax ?? Math.max(1, config.databasePoolMax - 2),
      queued: config.databaseWritesQueue,
      waitMs: config.databaseWritesWaitMs,
    },
    onReplicaError: warn('The replica could not be reached: the primary is read'),
    onStatement: (statement) => {
      observer.onStatement?.(statement)
      Trace.current?.statements.push(statement)
    },
    onError: warn('An idle database connection broke'),
  })
  onClose(databases.close)
  const { database } = databases
  await prepare?.(databases)

  // Redis
  const warnOfRedis = warn('Redis failed: what it held is read from PostgreSQL')
  const onRedisError = (error: Error) => {
    observer.onRedisError?.(error)
    // That is told once, by the breaker.
    if (!isRefusal(error)) warnOfRedis(error)
  }
  const servers = redisServers(config)
  const redis =
    servers &&
    openRedis({
      servers,
      timeoutMs: config.redisTimeoutMs,
      breaker: {
        failures: config.redisBreakerFailures,
        resetMs: config.redisBreakerResetMs,
        onBreaker: (name, state, why) => {
          observer.onBreaker?.(name, state)
          tellOfBreaker(name, state, why)
        },
      },
      onError: onRedisError,
    })
  if (redis) {
    onClose(redis.close)
    const failure = await redis.whenReady()
    if (failure) logger.warn({ err: failure }, whyNotReady(failure))
  }

  // Invalidation: from the log to this node's ledger, and to everybody else's
  const warnOfLog = warn('The log could not be read')
  const log = new Log(databases.log)
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
      ...observer.follower,
      onNewEpoch: (why) => {
        observer.follower?.onNewEpoch?.(why)
        logger.error({ why }, 'The log has another history than this node saw: everything cached before is void')
      },
      onError: (error) => {
        observer.follower?.onError?.(error)
        warnOfLog(error)
      },
    },
  })
  onClose(() => follower.stop())
  await follower.start()

  // The cache
  const remote =
    redis &&
    new RedisTier({
      redis: redis.commands,
      ...(redis.reader && { reader: redis.reader }),
      subscriber: redis.subscriber,
      channel: `${config.redisKeyPrefix}leases`,
      leasePrefix: `${config.redisKeyPrefix}lease:`,
      lingerMs: config.redisLingerMs,
      onError: onRedisError,
      onRoundTrip: (trip) => {
        observer.onRedisRoundTrip?.()
        Trace.current?.roundTrips.push(trip)
      },
    })
  if (remote) onClose(() => remote.stop())
  const namespace = `${config.redisKeyPrefix}${config.cacheVersion}:`
  const cache = new Cache({
    ledger,
    settle: () =>
      follower.settle().catch((error: unknown) => {
        throw explainConnectionError(error)
      }),
    ...(remote && { remote }),
    memoryMaxBytes: config.cacheMemoryMaxBytes,
    defaults: policyDefaults(config),
    namespace,
    observer: tracing({ ...observer.cache, onRemoteError: onRedisError }),
  })
  // Refreshes in the background may be under way when everything else has stopped.
  onClose(() => cache.close(config.shutdownTimeoutMs))

  // What is done later
  const warnOfQueue = warn('A queue could not be applied: it is tried again')
  const warnOfFullQueue = warn('A queue took no more')
  const worker = new Worker({
    primary: database.primary,
    redis: redis?.commands,
    prefix: `${config.redisKeyPrefix}queue:`,
    maxEntries: config.queueMaxEntries,
    maxDead: config.queueMaxDead,
    everyMs: config.queueFlushMs,
    onCommit: () => follower.settle().catch(warnOfLog),
    observer: {
      ...observer.worker,
      onError: (queue, error) => {
        observer.worker?.onError?.(queue, error)
        if (!isRefusal(error)) warnOfQueue(error)
      },
      onRefused: (queue, cause) => {
        observer.worker?.onRefused?.(queue, cause)
        if (!isRefusal(cause)) {
          warnOfFullQueue(cause ?? new Error(`${queue} holds as much as QUEUE_MAX_ENTRIES allows.`))
        }
      },
      onGivenUp: (queue, letter) => {
        observer.worker?.onGivenUp?.(queue, letter)
        logger.error({ queue, ...letter }, 'What was queued could not be applied')
      },
      onDropped: (queue, job, error) => {
        observer.worker?.onDropped?.(queue, job, error)
        logger.error({ queue, job, error }, 'What could not be applied is dropped: there is no place for it')
      },
      onJobError: (job, err) => {
        observer.worker?.onJobError?.(job, err)
        logger.warn({ err, job }, 'A periodic job failed: it is tried again')
      },
    },
  })

  // The rooms: what is cached, and what resolves it
  const users = usersRoom({ cache, database, ttlMs: config.cacheTtlUserMs })
  const tags = tagsRoom({ cache, database, ttlMs: config.cacheTtlTagMs })
  const articles = articlesRoom({
    cache,
    database,
    users: users.entries,
    tags: tags.entries,
    ttlMs: config.cacheTtlArticleMs,
    listTtlMs: config.cacheTtlArticleListMs,
    worker,
    rankEveryMs: config.rankArticlesMs,
    limitViews: createRateLimit({
      redis: redis?.commands,
      prefix: `${config.redisKeyPrefix}rate:views`,
      max: config.rateLimitMax,
      windowSeconds: config.rateLimitWindowMs / 1000,
    }),
  })
  return {
    responses: new ResponseCache({ cache, madeBy: codeFingerprint() }),
    encoded: new EncodedAnswers(cache),
    persistedQueries: new PersistedQueries(cache),
    databases,
    log,
    ledger,
    follower,
    redis: redis?.commands,
    cache,
    namespace,
    worker,
    rooms: [users, tags, articles, adminRoom({ ledger })],
    flush: async () => remote?.flush(),
  }
}

/** Undefined where there is none. */
function redisServers(config: Config): RedisServers | undefined {
  const { redisUrl: url, redisReaderUrl: readerUrl, redisCluster: cluster, redisSentinels: addresses } = config
  if (url === undefined && !cluster && !addresses) return undefined
  const sentinels = addresses && {
    addresses,
    name: config.redisSentinelName,
    username: config.redisSentinelUsername,
    password: config.redisSentinelPassword,
  }
  return { url, readerUrl, cluster, clusterReads: config.redisClusterReads, sentinels }
}

function whyNotReady({ message }: Error): string {
  return /WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(message)
    ? 'Redis refuses the user name or password in REDIS_URL: this node serves without it'
    : 'Redis could not be reached: until it can, this node serves without it'
}

/** Says once that a breaker opened, and once that it closed again, however many probes fail in between. */
function breakerTeller(logger: Logger): (breaker: string, state: BreakerState | 'gone', why?: Error) => void {
  const open = new Set<string>()
  return (breaker, state, why) => {
    if (state === 'open' && !open.has(breaker)) {
      open.add(breaker)
      logger.warn({ breaker, err: why }, 'Redis is left alone, being unwell: this node serves without it')
    } else if (state === 'closed' || state === 'gone') {
      if (open.delete(breaker) && state === 'closed') logger.info({ breaker }, 'Redis is well again')
    }
  }
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
