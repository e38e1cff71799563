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
  /** The headers that tell how the cache took part; absent ones are left out. */
  readonly headers: ReadonlyMap<ShownHeader, string>
  /** How it came about, where that was asked for. */
  readonly explanation: Explanation | undefined
}

const shownHeaders = ['X-Cache', 'Cache-Status', 'Age', 'ETag', 'Stet-As-Of'] as const
type ShownHeader = (typeof shownHeaders)[number]

export interface AnswersSeen {
  /** Newest first, at most `maxAnswers`. */
  readonly answers: readonly Answer[]
  /** The last `Stet-As-Of` token seen: sent back, it makes any node answer as of that write or later. */
  readonly asOf: string | undefined
  /** Whether the next answers are asked to explain themselves. */
  readonly explaining: boolean
}

interface Received {
  readonly operation: string
  readonly response: Response
  readonly tookMs: number
  readonly explanation: Explanation | undefined
}

const maxAnswers = 20

/** The last answers and the token they carried; React follows it through `subscribe` and `seen`. */
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
