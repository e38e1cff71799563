export { createServer } from './server.ts'
export { createStatusServer } from './status-server.ts'
