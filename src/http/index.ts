export { createServer } from './server.ts'
export { createWorkerServer } from './worker-server.ts'
