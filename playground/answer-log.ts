import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Explanation } from '../src/answers/explanation.ts'

/** One answer of the API, as the cache panel shows it. */
export interface Answer {
  readonly id: number
  readonly operation: string
  readonly at: Date
  /** From sending the request to the last byte of its answer. */
  readonly tookMs: number
  readonly status: number
  /** The headers about the cache that the answer has. */
  readonly headers: ReadonlyMap<ShownHeader, string>
  /** Undefined if the request did not ask for it. */
  readonly explanation: Explanation | undefined
}

const shownHeaders = ['X-Cache', 'Cache-Status', 'Age', 'ETag', 'Stet-As-Of'] as const
type ShownHeader = (typeof shownHeaders)[number]

export interface AnswersSeen {
  /** Newest first, at most `maxAnswers`. */
  readonly answers: readonly Answer[]
  /** The last `Stet-As-Of` token. Sent with a request, it makes any node answer as of that position or later. */
  readonly asOf: string | undefined
  /** True if the next requests ask for an explanation. */
  readonly explaining: boolean
}

interface Received {
  readonly operation: string
  readonly response: Response
  readonly tookMs: number
  readonly explanation: Explanation | undefined
}

const maxAnswers = 20

/** Remembers the last answers and their token. React reads it with `subscribe` and `seen`. */
export class AnswerLog {
  #seen: AnswersSeen = { answers: [], asOf: undefined, explaining: false }
  #nextId = 1
  readonly #listeners = new Set<() => void>()

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly seen = (): AnswersSeen => this.#seen

  record({ operation, response, tookMs, explanation }: Received): void {
    const headers = new Map<ShownHeader, string>()
    for (const name of shownHeaders) {
      const value = response.headers.get(name)
      if (value !== null) headers.set(name, value)
    }
    const { status } = response
    const answer: Answer = { id: this.#nextId++, operation, at: new Date(), tookMs, status, headers, explanation }
    this.#change({
      ...this.#seen,
      answers: [answer, ...this.#seen.answers].slice(0, maxAnswers),
      asOf: headers.get('Stet-As-Of') ?? this.#seen.asOf,
    })
  }

  explain(explaining: boolean): void {
    this.#change({ ...this.#seen, explaining })
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
