import type { Clock } from '../../kernel/clock.ts'
import { ClientError } from '../../kernel/errors.ts'

/** What one execution may cost. */
export interface AnswerLimits {
  /** Errors in one answer. */
  readonly maxErrors: number
  /** Length of one answer, in bytes. Texts are counted in UTF-16 code units while the answer is made. */
  readonly maxBytes: number
  /** For how long one query may be under way, in milliseconds. Mutations are not cut off. */
  readonly timeoutMs: number
}

/** What one execution has cost so far. Once that is too much, every further call throws the same error. */
export class Budget {
  readonly #limits: AnswerLimits
  readonly #clock: Clock
  readonly #beganAt: number
  #bytes = 0
  #errors = 0
  #overdrawn: ClientError | undefined

  /** @param beganAt when the operation was first run, by the clock's `elapsed` */
  constructor(limits: AnswerLimits, clock: Clock, beganAt = clock.elapsed()) {
    this.#limits = limits
    this.#clock = clock
    this.#beganAt = beganAt
  }

  /** Another one, which has cost as much. */
  copy(): Budget {
    const copy = new Budget(this.#limits, this.#clock, this.#beganAt)
    copy.#bytes = this.#bytes
    copy.#errors = this.#errors
    copy.#overdrawn = this.#overdrawn
    return copy
  }

  /** Why the execution is over. Undefined while it is not. */
  get overdrawn(): ClientError | undefined {
    return this.#overdrawn
  }

  /** Counts what goes into the answer. Throws ANSWER_TOO_LARGE if that is too much. */
  takeBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.maxBytes) throw this.#end(answerTooLarge(this.#limits))
  }

  /** Counts an error. Throws TOO_MANY_ERRORS if there are too many. */
  takeError(): void {
    const { maxErrors } = this.#limits
    if (++this.#errors <= maxErrors) return
    const message = `The answer has more than ${maxErrors} errors: the rest was not looked for.`
    throw this.#end(new ClientError('TOO_MANY_ERRORS', message))
  }

  /** Throws LOAD_TIMEOUT if no time is left. */
  checkTime(): void {
    if (this.#leftMs <= 0) throw this.#timeout()
  }

  /** `result`, or a rejection with LOAD_TIMEOUT if it takes too long. What arrives later is not awaited. */
  inTime<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(Math.max(0, this.#leftMs), () => reject(this.#timeout()))
      result.finally(cancel).then(resolve, reject)
    })
  }

  get #leftMs(): number {
    return this.#beganAt + this.#limits.timeoutMs - this.#clock.elapsed()
  }

  #timeout(): ClientError {
    const message = `The query took longer than ${this.#limits.timeoutMs} ms: it was given up.`
    return this.#end(new ClientError('LOAD_TIMEOUT', message))
  }

  #end(reason: ClientError): ClientError {
    this.#overdrawn ??= reason
    this.#bytes = this.#errors = Number.POSITIVE_INFINITY
    return this.#overdrawn
  }
}

/** @param status the HTTP status, if the whole request is refused */
export const answerTooLarge = ({ maxBytes }: Pick<AnswerLimits, 'maxBytes'>, status?: number): ClientError =>
  new ClientError(
    'ANSWER_TOO_LARGE',
    `The answer has more than ${maxBytes} bytes: ask for less at once.`,
    status === undefined ? {} : { status },
  )
