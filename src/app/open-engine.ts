import { Trace, tracing } from '../answers/index.ts'
import { Cache, Ledger, RedisTier } from '../cache/index.ts'
import { explainConnectionError, type OpenDatabases } from '../database/index.ts'
import type { HealthChecks } from '../http/index.ts'
import {
  Follower,
  Log,
  type Loudspeaker,
  NotifyLoudspeaker,
  RedisLoudspeaker,
  TriggerWatch,
} from '../invalidation/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { type OnClose, openTogether } from '../kernel/open-together.ts'
import type { GuardedRedis } from '../redis/index.ts'
import { type Config, hasRedis } from './config.ts'
import { logFollower, logRedisMissing, logTriggers, warnOf } from './log-events.ts'
import { memoryBounds } from './memory-bounds.ts'
import {
  cutLink,
  type EngineObserver,
  type ObservedRedis,
  openConfiguredDatabases,
  openConfiguredRedis,
  type Stage,
  SUBSCRIBER,
} from './open-servers.ts'

export interface OpenEngineOptions {
  readonly config: Config
  readonly logger: Logger
  readonly observer?: EngineObserver
  /** What must be done with the databases before the log in them is followed: migrations, say. */
  readonly prepare?: (databases: OpenDatabases) => Promise<unknown>
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
