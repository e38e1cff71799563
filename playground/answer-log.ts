import { createContext, useContext, useSyncExternalStore } from 'react'

/** One answer of the API, as the cache panel shows it. */
export interface Answer {
  readonly id: number
  readonly operation: string
  readonly at: Date
  /** From sending the request to the last byte of its answer. */
  readonly tookMs: number
  readonly status: number
  /** The headers that tell how the cache took part; absent ones are left out. */
  readonly headers: ReadonlyMap<ShownHeader, string>
}

const shownHeaders = ['X-Cache', 'Cache-Status', 'Age', 'ETag', 'Stet-As-Of'] as const
type ShownHeader = (typeof shownHeaders)[number]

export interface AnswersSeen {
  /** Newest first, at most `maxAnswers`. */
  readonly answers: readonly Answer[]
  /** The last `Stet-As-Of` token seen: sent back, it makes any node answer as of that write or later. */
  readonly asOf: string | undefined
}

const maxAnswers = 20

/** The last answers and the token they carried; React follows it through `subscribe` and `seen`. */
export class AnswerLog {
  #seen: AnswersSeen = { answers: [], asOf: undefined }
  #nextId = 1
  readonly #listeners = new Set<() => void>()

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly seen = (): AnswersSeen => this.#seen

  record(operation: string, response: Response, tookMs: number): void {
    const headers = new Map<ShownHeader, string>()
    for (const name of shownHeaders) {
      const value = response.headers.get(name)
      if (value !== null) headers.set(name, value)
    }
    const answer: Answer = { id: this.#nextId++, operation, at: new Date(), tookMs, status: response.status, headers }
    this.#change({
      answers: [answer, ...this.#seen.answers].slice(0, maxAnswers),
      asOf: headers.get('Stet-As-Of') ?? this.#seen.asOf,
    })
  }

  forgetAsOf(): void {
    this.#change({ ...this.#seen, asOf: undefined })
  }

  #change(seen: AnswersSeen): void {
    this.#seen = seen
    for (const listener of this.#listeners) listener()
  }
}

export const AnswerLogContext = createContext<AnswerLog>(new AnswerLog())

export function useAnswersSeen(): AnswersSeen {
  const log = useContext(AnswerLogContext)
  return useSyncExternalStore(log.subscribe, log.seen)
}
