import { Trace, tracing } from '../answers/index.ts'
import { Cache, type CacheObserver, Ledger, RedisTier } from '../cache/index.ts'
import {
  explainConnectionError,
  type OpenDatabases,
  openDatabases,
  type ReplicaObserver,
  type SentStatement,
} from '../database/index.ts'
import type { HealthChecks } from '../http/index.ts'
import {
  Follower,
  type FollowerObserver,
  Log,
  type Loudspeaker,
  NotifyLoudspeaker,
  RedisLoudspeaker,
  TriggerWatch,
} from '../invalidation/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { type OnClose, openTogether } from '../kernel/open-together.ts'
import { type GuardedRedis, openRedis, type RedisClients } from '../redis/index.ts'
import { type Config, hasRedis } from './config.ts'
import {
  logFollower,
  logRedis,
  logRedisMissing,
  logReplica,
  logTriggers,
  type RedisObserver,
  warnOf,
} from './log-events.ts'
import { memoryBounds } from './memory-bounds.ts'

export interface OpenEngineOptions {
  readonly config: Config
  readonly logger: Logger
  readonly observer?: EngineObserver
  /** What must be done with the databases before the log in them is followed: migrations, say. */
  readonly prepare?: (databases: OpenDatabases) => Promise<unknown>
}

/** Told of what happens inside, for metrics. */
interface EngineObserver extends RedisObserver, ReplicaObserver {
  readonly cache?: CacheObserver
  readonly follower?: FollowerObserver
  onStatement?(statement: SentStatement): void
  /** A connection was silent for too long, and was cut. */
  onLinkCut?(link: string): void
}

/**
 * For each connection by which a node hears of others' writes, whether it is well. Without them it hears later: so a dead one must be
 * noticed, although nobody waits for it.
 */
export interface Links {
  readonly [link: string]: () => boolean
}

/** A line for each link in `/readyz`. A node without one hears later, and is ready all the same. */
export const linkChecks = (links: Links): HealthChecks =>
  Object.fromEntries(
    Object.entries(links).map(([link, isWell]) => {
      const check = async () => {
        if (!isWell()) throw new Error(`${link} is not well`)
      }
      return [link, { required: false, check }]
    }),
  )

/** The cache, and what it stands on: databases, Redis, and the log that is followed. It knows no article. */
export interface Engine {
  readonly databases: OpenDatabases
  /** Undefined if there is none, and memory is the only tier. Fails at once while it isn't connected. */
  readonly redis: GuardedRedis | undefined
  readonly log: Log
  readonly ledger: Ledger
  readonly follower: Follower
  readonly links: Links
  /** Looks at the triggers once it is started. */
  readonly triggers: TriggerWatch
  readonly cache: Cache
  /** Begins every key of the cache. */
  readonly namespace: string
  /** Resolves once Redis has every entry that was filled. */
  flush(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens an engine in stages: databases, Redis, invalidation, cache. Resolves once its ledger stands at the log's tip.
 * If a stage fails, those before it are closed, and it rejects. A Redis that can't be reached fails nothing.
 */
export function openEngine(options: OpenEngineOptions): Promise<Engine> {
  return openTogether((onClose) => openStages(options, onClose))
}

async function openStages(
  { config, logger, observer = {}, prepare }: OpenEngineOptions,
  onClose: OnClose,
): Promise<Omit<Engine, 'close'>> {
  const stage: Stage = { config, logger, observer }

  const databases = await openConfiguredDatabases(stage)
  onClose(databases.close)
  await prepare?.(databases)

  const redis = hasRedis(config) ? openConfiguredRedis(stage) : undefined
  if (redis) {
    onClose(redis.close)
    const failure = await redis.whenReady()
    if (failure) logRedisMissing(logger, failure)
  }

  const ledger = new Ledger()
  const log = new Log(databases.log, { onCut: cutLink(stage, 'log') })
  const { loudspeakers, links } = openLoudspeakers(stage, databases, redis)
  const follower = new Follower({
    log,
    ledger,
    beatMs: config.logBeatMs,
    loudspeakers,
    observer: logFollower(logger, observer.follower),
  })
  onClose(() => follower.stop())
  await follower.start()
  const triggers = new TriggerWatch({ primary: databases.log, observer: logTriggers(logger) })
  onClose(() => triggers.stop())

  const remote = redis && openRedisTier(stage, redis)
  if (remote) onClose(() => remote.stop())
  const namespace = `${config.redisKeyPrefix}${config.cacheVersion}:`
  const cache = new Cache({
    ...cacheOptions(config),
    ledger,
    settle: () =>
      follower.settle().catch((error: unknown) => {
        throw explainConnectionError(error)
      }),
    openSnapshot: databases.database.openSnapshot,
    startEpoch: async (epoch, why) => {
      logger.warn({ why }, 'The log has lost a part of its past: another epoch begins')
      await log.startEpoch(epoch)
      await follower.settle()
    },
    ...(remote && { remote }),
    namespace,
    observer: tracing({
      ...observer.cache,
      onRemoteError: redis?.onError,
      onClockSetBack: (byMs) => logger.warn({ byMs }, 'The clock was set back: memory was emptied'),
    }),
  })
  // Refreshes in the background may be under way when everything else has stopped.
  onClose(() => cache.close(config.shutdownTimeoutMs))

  return {
    databases,
    redis: redis?.commands,
    log,
    ledger,
    follower,
    links: { log: () => !follower.isUnsure, ...links },
    triggers,
    cache,
    namespace,
    flush: () => cache.flush(),
  }
}

/** What every stage is given. */
interface Stage {
  readonly config: Config
  readonly logger: Logger
  readonly observer: EngineObserver
}

function openConfiguredDatabases({ config, logger, observer }: Stage): Promise<OpenDatabases> {
  // Two connections of each pool are left to the other kind of work: loads that hang must not stop writes, nor writes loads.
  const concurrent = Math.max(1, config.databasePoolMax - 2)
  return openDatabases({
    url: config.databaseUrl,
    replica:
      config.databaseReplicaUrl === undefined
        ? undefined
        : {
            url: config.databaseReplicaUrl,
            timeoutMs: config.databaseReplicaTimeoutMs,
            observer: logReplica(logger, observer),
          },
    schema: config.databaseSchema,
    dataDirectory: config.dataDirectory,
    poolMax: config.databasePoolMax,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    loads: {
      concurrent: config.databaseLoadsMax ?? concurrent,
      queued: config.databaseLoadsQueue,
      waitMs: config.databaseLoadsWaitMs,
    },
    writes: {
      concurrent: config.databaseWritesMax ?? concurrent,
      queued: config.databaseWritesQueue,
      waitMs: config.databaseWritesWaitMs,
    },
    onStatement: (statement) => {
      observer.onStatement?.(statement)
      Trace.current?.statements.push(statement)
    },
    onError: warnOf(logger, 'An idle database connection broke'),
  })
}

/** Redis, and who is told of its errors. */
interface ObservedRedis extends RedisClients {
  readonly onError: (error: Error) => void
  readonly onForged: () => void
}

function openConfiguredRedis(stage: Stage): ObservedRedis {
  const { config, logger, observer } = stage
  const { onError, onForged, onBreaker } = logRedis(logger, observer)
  const clients = openRedis({
    servers: {
      url: config.redisUrl,
      readerUrl: config.redisReaderUrl,
      cluster: config.redisCluster,
      clusterReads: config.redisClusterReads,
      sentinels: config.redisSentinels && {
        addresses: config.redisSentinels,
        name: config.redisSentinelName,
        username: config.redisSentinelUsername,
        password: config.redisSentinelPassword,
      },
    },
    timeoutMs: config.redisTimeoutMs,
    breaker: { failures: config.redisBreakerFailures, resetMs: config.redisBreakerResetMs, onBreaker },
    watch: { onCut: cutLink(stage, SUBSCRIBER) },
    onError,
  })
  return { ...clients, onError, onForged }
}

/** The ways in which a node hears of writes before its next look at the log. */
function openLoudspeakers(
  stage: Stage,
  { listen }: OpenDatabases,
  redis: ObservedRedis | undefined,
): { readonly loudspeakers: readonly Loudspeaker[]; readonly links: Links } {
  const { config, logger } = stage
  const loudspeakers: Loudspeaker[] = []
  const links: Record<string, () => boolean> = {}
  if (redis) {
    const { commands: publisher, subscriber, watch, onForged, onError } = redis
    links[SUBSCRIBER] = watch.isWell
    const channel = `${config.redisKeyPrefix}log`
    loudspeakers.push(
      new RedisLoudspeaker({ publisher, subscriber, channel, secrets: config.cacheSecrets, onForged, onError }),
    )
  }
  if (listen) {
    // Redis brings the records themselves: NOTIFY says only that there are some, and can wait for them.
    const patienceMs = redis ? 20 : 0
    const onError = warnOf(logger, 'Listening for NOTIFY')
    const onCut = cutLink(stage, 'notify')
    const notify = new NotifyLoudspeaker({ connect: listen, patienceMs, onCut, onError })
    loudspeakers.push(notify)
    links.notify = () => notify.isListening
  }
  return { loudspeakers, links }
}

function cutLink({ logger, observer }: Stage, link: string): () => void {
  const warn = warnOf(logger, 'A connection was silent, and was cut: another one is made')
  return () => {
    observer.onLinkCut?.(link)
    warn(new Error(`The connection for ${link} was dead without a sign.`))
  }
}

const SUBSCRIBER = 'redis subscriber'

function openRedisTier({ config, observer }: Stage, redis: ObservedRedis): RedisTier {
  return new RedisTier({
    redis: redis.commands,
    ...(redis.reader && { reader: redis.reader }),
    subscriber: redis.subscriber,
    channel: `${config.redisKeyPrefix}leases`,
    leasePrefix: `${config.redisKeyPrefix}lease:`,
    lingerMs: config.redisLingerMs,
    secrets: config.cacheSecrets,
    onForged: redis.onForged,
    onError: redis.onError,
    onRoundTrip: (trip) => {
      observer.onRedisRoundTrip?.()
      Trace.current?.roundTrips.push(trip)
    },
  })
}

const cacheOptions = (config: Config) => ({
  secrets: config.cacheSecrets,
  memoryMaxBytes: memoryBounds(config).entries,
  defaults: {
    jitter: config.cacheTtlJitter,
    grace: { staleWhileRevalidateMs: config.cacheGraceMs, staleIfErrorMs: config.cacheGraceIfErrorMs },
    earlyRefresh: config.cacheEarlyRefresh,
    loadTimeout: { softMs: config.cacheLoadTimeoutSoftMs, hardMs: config.cacheLoadTimeoutMs },
    leaseMs: config.cacheLeaseMs,
    compressAboveBytes: config.cacheCompressAboveBytes,
    maxBytes: config.cacheMaxEntryBytes,
  },
})
