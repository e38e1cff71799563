import type { ChainableCommander } from 'ioredis'
import type { RedisNode, Reply } from '../../redis/index.ts'
import { askForLeases, type LeasedRead, parseLeases } from './redis-lease-script.ts'
import type { Found, ReadRequest } from './remote-tier.ts'

/** Something to store or to give back: adds its command. */
export type Change = (pipeline: ChainableCommander) => void

/** Everything that travels to one node in one turn of the event loop, in one pipeline: the changes, then the questions. */
export class RedisBatch {
  readonly #node: RedisNode | undefined
  readonly #leasePrefix: string
  readonly #changes: Change[] = []
  /** By what one command may name. */
  readonly #questions = new Map<number, Question>()
  readonly #asked = new Map<ReadRequest, Question>()

  constructor(node: RedisNode | undefined, leasePrefix: string) {
    this.#node = node
    this.#leasePrefix = leasePrefix
  }

  change(change: Change): void {
    this.#changes.push(change)
  }

  ask(request: ReadRequest): this {
    const group = this.#node?.groupOf(request.key) ?? 0
    const question = this.#questions.get(group) ?? new Question()
    this.#questions.set(group, question)
    this.#asked.set(request, question)
    question.add(request)
    return this
  }

  /** Rejects if no answer came. A command that the node refused counts as a miss, and `refusal` says why. */
  async send(onRoundTrip: (trip: RoundTrip) => void): Promise<Answer> {
    if (!this.#node) throw new Error('No node of the Redis Cluster serves these keys now')
    const questions = [...this.#questions.values()]
    let sentAt: number | undefined
    const sending = this.#node.send((pipeline) => {
      for (const change of this.#changes) change(pipeline)
      for (const question of questions) question.put(pipeline, this.#leasePrefix)
      sentAt = performance.now()
    })
    const replies = await sending.finally(() => {
      if (sentAt === undefined) return
      onRoundTrip({ entries: this.#asked.size, changes: this.#changes.length, ms: performance.now() - sentAt })
    })
    const answers = replies.slice(this.#changes.length)
    for (const question of questions) question.take(answers)
    return {
      find: (request) => this.#asked.get(request)?.find(request) ?? missed(request),
      refusal: replies.find(([error]) => error)?.[0] ?? undefined,
    }
  }
}

/**
 * One pipeline, there and back, or until its answer was given up.
 *
 * @example
 * const onRoundTrip = ({ ms }: RoundTrip) => histogram.observe(ms / 1000)
 */
export interface RoundTrip {
  /** How many entries it asked for. */
  readonly entries: number
  /** How many entries were stored and leases given back with it. */
  readonly changes: number
  readonly ms: number
}

export interface Answer {
  find(request: ReadRequest): Found
  readonly refusal: Error | undefined
}

/** What a read finds if no node could be asked. A read that asked for a lease may load: no other holder is known. */
export function missed({ lease }: ReadRequest): Found {
  return { bytes: undefined, ...(lease && { lease: 'mine' }) }
}

/** Entries alone by MGET, those with a lease by one script. */
class Question {
  readonly #leased = new Set<LeasedRead>()
  readonly #plain = new Set<string>()
  readonly #bytes = new Map<string, Buffer | undefined>()
  #found: ReadonlyMap<ReadRequest, Found> = new Map()

  add(request: ReadRequest): void {
    if (isLeased(request)) this.#leased.add(request)
    else this.#plain.add(request.key)
  }

  put(pipeline: ChainableCommander, leasePrefix: string): void {
    // The script brings these too.
    for (const { key } of this.#leased) this.#plain.delete(key)
    if (this.#plain.size > 0) pipeline.mgetBuffer([...this.#plain])
    if (this.#leased.size > 0) askForLeases(pipeline, leasePrefix, [...this.#leased])
  }

  /** From the front of `replies`, as many as it put commands. */
  take(replies: Reply[]): void {
    if (this.#plain.size > 0) {
      const [error, body] = replies.shift() ?? []
      const values = error ? [] : (body as readonly (Buffer | null)[])
      for (const [index, key] of [...this.#plain].entries()) this.#bytes.set(key, values[index] ?? undefined)
    }
    if (this.#leased.size > 0) {
      const [error, body] = replies.shift() ?? []
      if (!error) this.#found = parseLeases(body, [...this.#leased])
      for (const [{ key }, { bytes }] of this.#found) this.#bytes.set(key, bytes)
    }
  }

  find(request: ReadRequest): Found {
    return isLeased(request) ? (this.#found.get(request) ?? missed(request)) : { bytes: this.#bytes.get(request.key) }
  }
}

const isLeased = (request: ReadRequest): request is LeasedRead => request.lease !== undefined
