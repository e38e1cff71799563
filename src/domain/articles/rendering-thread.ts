import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ClientError } from '../../kernel/errors.ts'
import { PROJECT } from '../../kernel/project.ts'
import { type Rendering, refuse } from './rendering.ts'

export interface RenderingOptions {
  /** How long one text may take, in milliseconds. */
  readonly maxMs: number
  /** Told of a text that took too long, or on which the renderer failed. */
  readonly onFailure: (error: Error) => void
}

/**
 * Renders one text after the other in a thread, which starts with the first of them. A thread that takes too long for a text
 * is ended, and the next text gets a new one. Keeps no process alive while it has nothing to do.
 */
export class RenderingThread {
  readonly #options: RenderingOptions
  readonly #waiting: Job[] = []
  #waitingLength = 0
  #worker: Worker | undefined
  /** Ends the wait for the text that is being rendered. */
  #interrupt: AbortController | undefined
  #rendering: Promise<void> | undefined
  #isClosed = false

  constructor(options: RenderingOptions) {
    this.#options = options
  }

  /**
   * Rejects if the thread can't be started, or was closed.
   * @throws OVERLOADED if too much waits already
   */
  render(text: string): Promise<Rendering> {
    if (this.#isClosed) return Promise.reject(new Error('The renderer is closed.'))
    if (this.#waitingLength + text.length > MAX_WAITING) {
      return Promise.reject(new ClientError('OVERLOADED', 'Too much has to be rendered just now: try again.'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject })
      this.#waitingLength += text.length
      this.#rendering ??= this.#renderAll()
    })
  }

  /** Resolves once the thread has ended. What it was to render rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#interrupt?.abort()
    await this.#rendering
    await this.#worker?.terminate()
  }

  async #renderAll(): Promise<void> {
    for (let job = this.#waiting.shift(); job; job = this.#waiting.shift()) {
      this.#interrupt = new AbortController()
      this.#waitingLength -= job.text.length
      await this.#renderNow(job.text, this.#interrupt).then(job.resolve, job.reject)
    }
    this.#rendering = undefined
  }

  async #renderNow(text: string, interrupt: AbortController): Promise<Rendering> {
    if (this.#isClosed) throw new Error('The renderer was closed.')
    this.#worker ??= await this.#start(interrupt)
    const worker = this.#worker
    const timer = setTimeout(() => interrupt.abort(), this.#options.maxMs)
    worker.ref()
    try {
      const answer = once(worker, 'message', interrupt)
      worker.postMessage(text)
      const [rendering] = (await answer) as [Rendering]
      return rendering
    } catch (cause) {
      this.#worker = undefined
      await worker.terminate()
      if (this.#isClosed) throw new Error('The renderer was closed.', { cause })
      const { maxMs, onFailure } = this.#options
      onFailure(new Error(`A body of ${text.length} characters was not rendered within ${maxMs} ms.`, { cause }))
      const isLate = interrupt.signal.aborted
      return refuse(
        text,
        isLate ? `it takes more than ${maxMs} ms: simplify it` : 'it makes the renderer fail: simplify it',
      )
    } finally {
      clearTimeout(timer)
      worker.unref()
    }
  }

  async #start(interrupt: AbortController): Promise<Worker> {
    const worker = new Worker(BUILT, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } })
    try {
      await once(worker, 'message', interrupt)
    } catch (cause) {
      await worker.terminate()
      throw new Error(`The renderer could not be started from ${BUILT.pathname}.`, { cause })
    }
    // Without a listener an error would end this process. `once` tells of it.
    worker.on('error', () => {})
    return worker
  }
}

interface Job {
  readonly text: string
  resolve(rendering: Rendering): void
  reject(error: Error): void
}

/** In UTF-16 code units: thirty-two of the longest texts. */
const MAX_WAITING = 16_000_000

/** Three times what the worst text took. HAZARD: V8 ends the whole process if a thread needs more at once. */
const MAX_HEAP_MB = 1024

/** Always what was built: Node can't run TypeScript in a thread. `npm test` and `npm start` build first. */
const BUILT = new URL('dist/rendering-thread-entry.js', PROJECT)
