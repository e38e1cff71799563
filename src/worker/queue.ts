import { AskerError } from '../kernel/errors.ts'
import type { JobStream, StreamState } from './job-stream.ts'

/** Where jobs of one kind are put. */
export class Queue<Job> {
  readonly name: string
  readonly #stream: JobStream
  readonly #onRefused: (queue: string, cause?: Error) => void

  constructor(name: string, stream: JobStream, onRefused: (queue: string, cause?: Error) => void) {
    this.name = name
    this.#stream = stream
    this.#onRefused = onRefused
  }

  /** Resolves once the job is queued. Throws OVERLOADED where it is not, or where nobody can tell. */
  async add(job: Job): Promise<void> {
    let cause: Error | undefined
    const added = await this.#stream.add(JSON.stringify(job)).catch((error: Error) => {
      cause = error
      return false
    })
    if (added) return
    this.#onRefused(this.name, cause)
    throw new AskerError('OVERLOADED', 'Too much waits to be done already: try again later.', { cause })
  }

  state(): Promise<StreamState> {
    return this.#stream.state()
  }
}
