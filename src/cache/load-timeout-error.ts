import { AskerError } from '../kernel/errors.ts'

/** What was asked for could not be loaded within its policy's hard time-out. */
export class LoadTimeoutError extends AskerError {
  constructor(kind: string, hardMs: number) {
    super('LOAD_TIMEOUT', `"${kind}" could not be loaded within ${hardMs} ms: try again.`)
  }
}
