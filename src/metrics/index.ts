export type { Answered } from './hot-counters.ts'
export { Metrics } from './metrics.ts'
export { type RegisterMetricsOptions, registerMetrics } from './register-metrics.ts'
