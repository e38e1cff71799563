export type { Answered } from './answer-counter.ts'
export { Metrics, registerMetrics } from './metrics.ts'
