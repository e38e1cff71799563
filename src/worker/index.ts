export type { PeriodicJob } from './periodic-job.ts'
export type { Queue, QueueKind } from './queue.ts'
export { type DeadLetter, RedisStream } from './redis-stream.ts'
export { type QueueState, queueKey, Worker, type WorkerObserver } from './worker.ts'
