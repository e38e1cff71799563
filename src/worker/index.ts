export type { QueueKind } from './applier.ts'
export type { PeriodicJob } from './periodic-job.ts'
export { type DeadLetter, RedisStream } from './redis-stream.ts'
export { type Queue, type QueueState, queueKey, Worker, type WorkerObserver } from './worker.ts'
