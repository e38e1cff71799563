/**
 * The load of an entry took longer than its kind's `loadTimeout.hardMs`. The load goes on: a later read may find what it brings.
 *
 * @example
 * if (error instanceof LoadTimeoutError) response.statusCode = 504
 */
export class LoadTimeoutError extends Error {
  override readonly name = 'LoadTimeoutError'
  /** The name of the kind. */
  readonly kind: string
  readonly timeoutMs: number

  constructor(kind: string, timeoutMs: number) {
    super(`"${kind}" could not be loaded within ${timeoutMs} ms: try again.`)
    this.kind = kind
    this.timeoutMs = timeoutMs
  }
}
