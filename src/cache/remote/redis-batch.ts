import type { ChainableCommander } from 'ioredis'
import type { RedisNode, Reply } from '../../redis/index.ts'
import { askForLeases, type LeasedWanted, parseLeases } from './redis-lease-script.ts'
import type { Found, Wanted } from './remote-tier.ts'

/** Something to store or to give back: adds its command. */
export type Change = (pipeline: ChainableCommander) => void

/** All that travels to one node in one turn of the event loop, in one pipeline: the changes, then the questions. */
export class RedisBatch {
  readonly #node: RedisNode | undefined
  readonly #leasePrefix: string
  readonly #changes: Change[] = []
  /** By what one command may name. */
  readonly #questions = new Map<number, Question>()
  readonly #asked = new Map<Wanted, Question>()

  constructor(node: RedisNode | undefined, leasePrefix: string) {
    this.#node = node
    this.#leasePrefix = leasePrefix
  }

  change(change: Change): void {
    this.#changes.push(change)
  }

  ask(wanted: Wanted): this {
    const group = this.#node?.groupOf(wanted.key) ?? 0
    const question = this.#questions.get(group) ?? new Question()
    this.#questions.set(group, question)
    this.#asked.set(wanted, question)
    question.add(wanted)
    return this
  }

  /** Rejects where no answer came. What the node refused to do is a miss, and `refusal` says why. */
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
      find: (wanted) => this.#asked.get(wanted)?.find(wanted) ?? missed(wanted),
      refusal: replies.find(([error]) => error)?.[0] ?? undefined,
    }
  }
}

/** One pipeline, there and back, or until nobody waited for its answer any more. */
export interface RoundTrip {
  /** How many entries it asked for. */
  readonly entries: number
  /** How many were stored, and leases given back, by the way. */
  readonly changes: number
  readonly ms: number
}

export interface Answer {
  find(wanted: Wanted): Found
  readonly refusal: Error | undefined
}

/** Of what nobody could be asked. Who wanted to load it may: nobody can say who else does. */
export function missed({ lease }: Wanted): Found {
  return { bytes: undefined, ...(lease && { lease: 'mine' }) }
}

/** Entries alone by MGET, what a lease is wanted for by one script. */
class Question {
  readonly #leased = new Set<LeasedWanted>()
  readonly #plain = new Set<string>()
  readonly #bytes = new Map<string, Buffer | undefined>()
  #found: ReadonlyMap<Wanted, Found> = new Map()

  add(wanted: Wanted): void {
    if (isLeased(wanted)) this.#leased.add(wanted)
    else this.#plain.add(wanted.key)
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

  find(wanted: Wanted): Found {
    return isLeased(wanted) ? (this.#found.get(wanted) ?? missed(wanted)) : { bytes: this.#bytes.get(wanted.key) }
  }
}

const isLeased = (wanted: Wanted): wanted is LeasedWanted => wanted.lease !== undefined
