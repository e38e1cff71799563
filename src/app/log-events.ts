import type { ReplicaObserver, ReplicaState } from '../database/index.ts'
import type { FollowerObserver, TriggerWatchObserver } from '../invalidation/index.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { type BreakerState, isRefusal } from '../redis/index.ts'
import type { WorkerObserver } from '../worker/index.ts'

/** Logs an error as a warning: at most every ten seconds, with how many errors went untold in between. */
export const warnOf = (logger: Logger, message: string): ((error: Error) => void) =>
  sparingly((err, untold) => logger.warn({ err, untold }, message))

/**
 * Makes a `tell` that may be called for every error, and passes on at most one error in `everyMs`, with the number of those that
 * it kept back since. A dependency that is down fails a thousand times a second.
 */
export function sparingly(
  tell: (error: Error, untold: number) => void,
  everyMs = 10_000,
  clock: Clock = systemClock,
): (error: Error) => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  let untold = 0
  return (error) => {
    if (clock.elapsed() < quietUntil) {
      untold++
      return
    }
    tell(error, untold)
    untold = 0
    quietUntil = clock.elapsed() + everyMs
  }
}

export interface RedisObserver {
  onRedisRoundTrip?(): void
  onRedisError?(error: Error): void
  onForgedMessage?(): void
  onBreaker?(name: string, state: BreakerState | 'gone'): void
}

interface RedisEvents {
  onError(error: Error): void
  onForged(): void
  onBreaker(name: string, state: BreakerState | 'gone', why?: Error): void
}

/** Tells `observer` what happens to Redis, and logs it. A breaker is logged once when it opens and once when it closes, however many probes fail in between. */
export function logRedis(logger: Logger, observer: RedisObserver): RedisEvents {
  const warn = warnOf(logger, 'Redis failed: what it held is read from PostgreSQL')
  const warnOfForgery = warnOf(logger, 'A message in Redis was ignored')
  const open = new Set<string>()
  return {
    onError: (error) => {
      observer.onRedisError?.(error)
      // The breaker has told of these.
      if (!isRefusal(error)) warn(error)
    },
    onForged: () => {
      observer.onForgedMessage?.()
      warnOfForgery(new Error('It is not signed with CACHE_SECRET. Another node may have another secret, or none.'))
    },
    onBreaker: (breaker, state, why) => {
      observer.onBreaker?.(breaker, state)
      if (state === 'open' && !open.has(breaker)) {
        open.add(breaker)
        logger.warn({ breaker, err: why }, 'Redis is left alone, being unwell: this node serves without it')
      } else if (state === 'closed' || state === 'gone') {
        if (open.delete(breaker) && state === 'closed') logger.info({ breaker }, 'Redis is well again')
      }
    },
  }
}

/** Logs that a node starts without Redis. */
export function logRedisMissing(logger: Logger, err: Error): void {
  const isRefused = /WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(err.message)
  logger.warn(
    { err },
    isRefused
      ? 'Redis refuses the user name or password in REDIS_URL: this node serves without it'
      : 'Redis could not be reached: until it can, this node serves without it',
  )
}

/** Tells `observer` what happens to the replica, and logs it: once when it is not used any more, and once when it is used again. */
export function logReplica(logger: Logger, observer: ReplicaObserver): ReplicaObserver {
  const warn = warnOf(logger, 'The replica did not answer a load: the primary was asked')
  let told: ReplicaState['is'] = 'unknown'
  return {
    onReplicaState: (state) => {
      observer.onReplicaState?.(state)
      if (state.is === 'unknown' || state.is === told) return
      if (state.is === 'away') {
        logger.warn({ err: state.error }, 'The replica is left alone, being unwell: the primary is read')
      } else if (state.is === 'unfit') {
        logger.error({ why: state.why }, 'DATABASE_REPLICA_URL leads to no replica of this primary: it is not read')
      } else if (told !== 'unknown') {
        logger.info('The replica is well again')
      }
      told = state.is
    },
    onReplicaFallback: (why, error) => {
      observer.onReplicaFallback?.(why, error)
      if (why === 'failed') warn(error)
    },
  }
}

/** Tells `observer` what happens to the follower, and logs what an operator should know. */
export function logFollower(logger: Logger, observer: FollowerObserver = {}): FollowerObserver {
  const warn = warnOf(logger, 'The log could not be read')
  return {
    ...observer,
    onNewEpoch: (why) => {
      observer.onNewEpoch?.(why)
      logger.error({ why }, 'The log has another history than this node saw: everything cached before is void')
    },
    onError: (error) => {
      observer.onError?.(error)
      warn(error)
    },
  }
}

/** Logs each trigger that is off, with what to do, and that all are on again. */
export function logTriggers(logger: Logger): TriggerWatchObserver {
  return {
    onChange: (off) => {
      for (const { table, trigger, state } of off) {
        logger.error(
          { table, trigger, state },
          'A trigger is off, so what is cached of its table may be wrong: run `stet migrate` as the owner of the table',
        )
      }
      if (off.length === 0) logger.info('All triggers are on again, and everything has fallen that may have been wrong')
    },
    onError: warnOf(logger, 'Whether the triggers are on could not be found out'),
  }
}

/** Tells `observer` what happens to the worker, and logs what an operator should know. */
export function logWorker(logger: Logger, observer: WorkerObserver = {}): WorkerObserver {
  const warn = warnOf(logger, 'A queue could not be applied: it is tried again')
  const warnOfFullQueue = warnOf(logger, 'A queue took no more')
  return {
    ...observer,
    onError: (queue, error) => {
      observer.onError?.(queue, error)
      if (!isRefusal(error)) warn(error)
    },
    onRefused: (queue, cause) => {
      observer.onRefused?.(queue, cause)
      if (isRefusal(cause)) return
      warnOfFullQueue(cause ?? new Error(`${queue} holds as much as QUEUE_MAX_ENTRIES allows.`))
    },
    onGivenUp: (queue, letter) => {
      observer.onGivenUp?.(queue, letter)
      logger.error({ queue, ...letter }, 'What was queued could not be applied')
    },
    onDropped: (queue, job, error) => {
      observer.onDropped?.(queue, job, error)
      logger.error({ queue, job, error }, 'What could not be applied is dropped: there is no place for it')
    },
    onJobError: (job, err) => {
      observer.onJobError?.(job, err)
      logger.warn({ err, job }, 'A periodic job failed: it is tried again')
    },
  }
}
