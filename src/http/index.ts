export { cdnPolicyOf } from './cdn-policy.ts'
export { type HealthChecks, UnwellError } from './health.ts'
export { createServer } from './server.ts'
export { createStatusServer } from './status-server.ts'
