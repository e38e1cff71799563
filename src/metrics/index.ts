export type { Answered } from './hot-counters.ts'
export { Metrics, registerMetrics } from './metrics.ts'
