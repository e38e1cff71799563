import { Trace } from '../answers/index.ts'
import type { CacheObserver } from '../cache/index.ts'
import { type OpenDatabases, openDatabases, type ReplicaObserver, type SentStatement } from '../database/index.ts'
import type { FollowerObserver } from '../invalidation/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { openRedis, type RedisClients } from '../redis/index.ts'
import type { Config } from './config.ts'
import { logRedis, logReplica, type RedisObserver, warnOf } from './log-events.ts'

/** What every stage of opening an engine is given. */
export interface Stage {
  readonly config: Config
  readonly logger: Logger
  readonly observer: EngineObserver
}

/** Told of what happens inside, for metrics. */
export interface EngineObserver extends RedisObserver, ReplicaObserver {
  readonly cache?: CacheObserver
  readonly follower?: FollowerObserver
  onStatement?(statement: SentStatement): void
  /** A connection was silent for too long, and was cut. */
  onLinkCut?(link: string): void
}

/** The databases that are configured. */
export function openConfiguredDatabases({ config, logger, observer }: Stage): Promise<OpenDatabases> {
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
export interface ObservedRedis extends RedisClients {
  readonly onError: (error: Error) => void
  readonly onForged: () => void
}

/** Clients of the Redis that is configured. They connect in the background. */
export function openConfiguredRedis(stage: Stage): ObservedRedis {
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

/** Tells of a connection that was silent. @param link as `/readyz` and the metrics name it */
export function cutLink({ logger, observer }: Stage, link: string): () => void {
  const warn = warnOf(logger, 'A connection was silent, and was cut: another one is made')
  return () => {
    observer.onLinkCut?.(link)
    warn(new Error(`The connection for ${link} was dead without a sign.`))
  }
}

/** The connection that hears channels. */
export const SUBSCRIBER = 'redis subscriber'
