export { Api, type Runnable } from './api.ts'
