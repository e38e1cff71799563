import { randomUUID } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Entry, GivenUp, JobStream, StreamState } from './job-stream.ts'

export interface MemoryStreamOptions {
  readonly maxEntries: number
  /** Called with each job that is given up, because there is no place to keep it. */
  readonly onDropped: (letter: GivenUp & { readonly job: string }) => void
  readonly clock: Clock
}

/** A queue in the memory of this process, for use without Redis. Its jobs are lost if the process dies. */
export class MemoryStream implements JobStream {
  readonly isVolatile = true
  readonly #options: MemoryStreamOptions
  readonly #identity = `memory ${randomUUID()}`
  /** Jobs by id, oldest first. */
  readonly #entries = new Map<string, { readonly job: string; readonly addedAtMs: number }>()
  #added = 0

  constructor(options: MemoryStreamOptions) {
    this.#options = options
  }

  async add(job: string): Promise<boolean> {
    if (this.#entries.size >= this.#options.maxEntries) return false
    this.#entries.set(`${++this.#added}-0`, { job, addedAtMs: this.#options.clock.now() })
    return true
  }

  async identify(): Promise<string | undefined> {
    return this.#entries.size > 0 ? this.#identity : undefined
  }

  async take(_identity: string, limit: number): Promise<readonly Entry[]> {
    const taken: Entry[] = []
    for (const [id, { job }] of this.#entries) {
      if (taken.length === limit) break
      taken.push({ id, job })
    }
    return taken
  }

  async remove(_identity: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#entries.delete(id)
  }

  async bury(_identity: string, letter: GivenUp): Promise<void> {
    const entry = this.#entries.get(letter.id)
    if (this.#entries.delete(letter.id) && entry) this.#options.onDropped({ ...letter, job: entry.job })
  }

  async state(): Promise<StreamState> {
    const [oldest] = this.#entries.values()
    const lagMs = oldest ? Math.max(0, this.#options.clock.now() - oldest.addedAtMs) : 0
    return { depth: this.#entries.size, lagMs, dead: 0 }
  }
}
