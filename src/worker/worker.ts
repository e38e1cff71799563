import type { Kysely } from 'kysely'
import type { Tables } from '../database/index.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { ClientError } from '../kernel/errors.ts'
import type { GuardedRedis } from '../redis/index.ts'
import { Applier, type ApplierObserver, type QueueKind } from './applier.ts'
import type { JobStream, StreamState } from './job-stream.ts'
import { MemoryStream } from './memory-stream.ts'
import { type PeriodicJob, startPeriodicJob } from './periodic-job.ts'
import { RedisStream } from './redis-stream.ts'

export interface WorkerOptions {
  readonly primary: Kysely<Tables>
  /** Holds the queues. Without it they are in the memory of this process only. */
  readonly redis?: GuardedRedis | undefined
  /** Prefix of the queues' keys in Redis. */
  readonly prefix: string
  /** How many jobs may wait in each queue. */
  readonly maxEntries: number
  /** How many dead letters each queue keeps. Default: all. */
  readonly maxDead?: number
  /** How often queues are polled, in milliseconds. */
  readonly everyMs: number
  /** Called after each commit, so that the new log records are announced to all nodes. */
  readonly onCommit: () => Promise<unknown>
  readonly observer?: WorkerObserver
  readonly clock?: Clock
}

export interface QueueState extends StreamState {
  readonly queue: string
}

export interface WorkerObserver extends ApplierObserver {
  /** A job could not be queued: because of `cause`, or because the queue is full. */
  onRefused?(queue: string, cause?: Error): void
  /** A job that could not be applied is lost: there is no Redis to keep it, or newer dead letters took its place. */
  onDropped?(queue: string, job: string, error: string): void
  onJobError?(job: string, error: Error): void
}

/** The door of one queue, through which requests add jobs. */
export interface Queue<Job> {
  /** Resolves once the job is queued. Rejects with OVERLOADED if the queue is full, or Redis does not confirm that it has the job. */
  add(job: Job): Promise<void>
  state(): Promise<StreamState>
}

/** Runs work that requests do not wait for: queues, whose jobs are applied many at a time, and periodic jobs. */
export class Worker {
  readonly #options: WorkerOptions & { readonly observer: WorkerObserver; readonly clock: Clock }
  readonly #appliers: Pick<Applier<unknown, unknown>, 'start' | 'stop' | 'drain'>[] = []
  /** By the names of the queues. */
  readonly #streams = new Map<string, JobStream>()
  readonly #jobs: PeriodicJob[] = []
  #stopJobs: (() => Promise<void>)[] = []

  constructor(options: WorkerOptions) {
    this.#options = { observer: {}, clock: systemClock, ...options }
  }

  /** Opens a queue. Call it once for each kind, before `start`. */
  queue<Job, Batch>(kind: QueueKind<Job, Batch>): Queue<Job> {
    const { redis, prefix, maxEntries, maxDead, observer, clock } = this.#options
    const { name } = kind
    const onDropped = ({ job, error }: { readonly job: string; readonly error: string }) =>
      observer.onDropped?.(name, job, error)
    const stream = redis
      ? new RedisStream({ redis, key: queueKey(prefix, name), maxEntries, maxDead, onDropped })
      : new MemoryStream({ maxEntries, onDropped, clock })
    this.#appliers.push(new Applier({ ...this.#options, kind, stream }))
    this.#streams.set(name, stream)
    return {
      state: () => stream.state(),
      add: async (job) => {
        let cause: Error | undefined
        const added = await stream.add(JSON.stringify(job)).catch((error: Error) => {
          cause = error
          return false
        })
        if (added) return
        observer.onRefused?.(name, cause)
        throw new ClientError('OVERLOADED', 'Too much waits to be done already: try again later.', { cause })
      },
    }
  }

  /** Adds a job that one process of the fleet runs periodically. Call it before `start`. */
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

  /** Stops after the present batches are committed and acknowledged. Jobs that are only in this process's memory are applied first. */
  async stop(): Promise<void> {
    await Promise.all([...this.#stopJobs.map((stop) => stop()), ...this.#appliers.map((applier) => applier.stop())])
  }

  /** Applies all waiting jobs, whether the worker was started or not. Rejects if a job or a server fails. */
  async drain(): Promise<void> {
    for (const applier of this.#appliers) await applier.drain()
  }

  get queues(): readonly string[] {
    return [...this.#streams.keys()]
  }

  /** The state of each queue that can be read at present. */
  async states(): Promise<readonly QueueState[]> {
    const looks = [...this.#streams].map(async ([queue, stream]) => ({ queue, ...(await stream.state()) }))
    const seen = await Promise.allSettled(looks)
    return seen.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []))
  }
}

/** The key of a queue's stream. Its braces keep the stream and its dead letters in one slot of a Redis Cluster. */
export const queueKey = (prefix: string, name: string): string => `${prefix}{${name}}`
