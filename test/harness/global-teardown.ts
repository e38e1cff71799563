import { endTestRun } from './begin-test-run.ts'

export default endTestRun
