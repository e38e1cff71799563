export type { PeriodicJob } from './periodic-job.ts'
export type { Queue, QueueKind } from './queue.ts'
export { type DeadLetter, RedisStream } from './redis-stream.ts'
export { queueKey, Worker, type WorkerObserver } from './worker.ts'
