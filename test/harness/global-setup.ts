import { beginTestRun } from './begin-test-run.ts'

export default beginTestRun
