export { type HealthChecks, UnwellError } from './health.ts'
export { cdnPolicyOf } from './lifetime-lines.ts'
export { createServer } from './server.ts'
export { createStatusServer } from './status-server.ts'
