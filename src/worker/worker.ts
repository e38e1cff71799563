import type { Kysely } from 'kysely'
import type { Tables } from '../database/index.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { GuardedRedis } from '../redis/index.ts'
import { Applier, type ApplierObserver } from './applier.ts'
import type { StreamState } from './job-stream.ts'
import { MemoryStream } from './memory-stream.ts'
import { type PeriodicJob, startPeriodicJob } from './periodic-job.ts'
import { Queue } from './queue.ts'
import type { QueueKind } from './queue-kind.ts'
import { RedisStream } from './redis-stream.ts'

export interface WorkerOptions {
  readonly primary: Kysely<Tables>
  /** Absent: queues are in this process alone. */
  readonly redis?: GuardedRedis | undefined
  /** Begins the keys of queues in Redis. */
  readonly prefix: string
  /** How many jobs may wait in each queue. */
  readonly maxEntries: number
  /** How many dead letters each of them keeps. Default: any number. */
  readonly maxDead?: number
  /** How often queues are looked at, in milliseconds. */
  readonly everyMs: number
  /** Called after each commit: what was written is to be told to everybody. */
  readonly onCommit: () => Promise<unknown>
  readonly observer?: WorkerObserver
  readonly clock?: Clock
}

export interface WorkerObserver extends ApplierObserver {
  /** A job could not be queued: the queue is full, or, with a `cause`, it can't be reached. */
  onRefused?(queue: string, cause?: Error): void
  /** A job that could not be applied is gone for good: there is no Redis to keep it, or newer dead letters took its place. */
  onDropped?(queue: string, job: string, error: string): void
  onJobError?(job: string, error: Error): void
}

/** Does later, for all rooms, what need not be done at once: queues, whose jobs are applied many at a time, and periodic jobs. */
export class Worker {
  readonly #options: WorkerOptions & { readonly observer: WorkerObserver; readonly clock: Clock }
  readonly #appliers: Pick<Applier<unknown, unknown>, 'start' | 'stop' | 'drain'>[] = []
  readonly #queues: Queue<never>[] = []
  readonly #jobs: PeriodicJob[] = []
  #stopJobs: (() => Promise<void>)[] = []

  constructor(options: WorkerOptions) {
    this.#options = { observer: {}, clock: systemClock, ...options }
  }

  /** Opens a queue: once for each kind, before the worker starts. */
  queue<Job, Batch>(kind: QueueKind<Job, Batch>): Queue<Job> {
    const { redis, prefix, maxEntries, maxDead, observer, clock } = this.#options
    const onDropped = ({ job, error }: { readonly job: string; readonly error: string }) =>
      observer.onDropped?.(kind.name, job, error)
    const stream = redis
      ? new RedisStream({ redis, key: queueKey(prefix, kind.name), maxEntries, maxDead, onDropped })
      : new MemoryStream({ maxEntries, onDropped, clock })
    const queue = new Queue<Job>(kind.name, stream, (name, cause) => observer.onRefused?.(name, cause))
    this.#appliers.push(new Applier({ ...this.#options, kind, stream }))
    this.#queues.push(queue)
    return queue
  }

  /** Adds a job that one process of the fleet runs now and then: before the worker starts. */
  periodically(job: PeriodicJob): void {
    this.#jobs.push(job)
  }

  start(): void {
    const { observer } = this.#options
    for (const applier of this.#appliers) applier.start()
    this.#stopJobs = this.#jobs.map((job) =>
      startPeriodicJob({ ...this.#options, job, onError: (error) => observer.onJobError?.(job.name, error) }),
    )
  }

  /** Ends what is at hand: a batch is committed and acknowledged; what waits in this process alone is applied. */
  async stop(): Promise<void> {
    await Promise.all([...this.#stopJobs.map((stop) => stop()), ...this.#appliers.map((applier) => applier.stop())])
  }

  /** Applies all that waits, whether the worker was started or not. */
  async drain(): Promise<void> {
    for (const applier of this.#appliers) await applier.drain()
  }

  get queues(): readonly string[] {
    return this.#queues.map(({ name }) => name)
  }

  /** How each queue is, of those that can be looked at. */
  async states(): Promise<readonly ({ readonly queue: string } & StreamState)[]> {
    const looks = this.#queues.map(async (queue) => ({ queue: queue.name, ...(await queue.state()) }))
    const seen = await Promise.allSettled(looks)
    return seen.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []))
  }
}

/** In braces: a queue and its dead letters are in one slot of a Redis Cluster. */
export const queueKey = (prefix: string, name: string): string => `${prefix}{${name}}`
