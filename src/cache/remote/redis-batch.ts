import type { ChainableCommander } from 'ioredis'
import type { RedisNode } from '../../redis/index.ts'
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
  readonly #asked = new Map<number, ReadRequest[]>()

  constructor(node: RedisNode | undefined, leasePrefix: string) {
    this.#node = node
    this.#leasePrefix = leasePrefix
  }

  change(change: Change): void {
    this.#changes.push(change)
  }

  ask(request: ReadRequest): this {
    const group = this.#node?.groupOf(request.key) ?? 0
    const asked = this.#asked.get(group) ?? []
    this.#asked.set(group, asked)
    asked.push(request)
    return this
  }

  /** Never rejects: if no answer came, `failure` says why. A command that the node refused counts as a miss, and `refusal` says why. */
  send(onRoundTrip: (trip: RoundTrip) => void): Promise<Answer> {
    return this.#send(onRoundTrip).catch((failure: Error) => ({ found: new Map(), failure }))
  }

  async #send(onRoundTrip: (trip: RoundTrip) => void): Promise<Answer> {
    if (!this.#node) throw new Error('No node of the Redis Cluster serves these keys now')
    const questions = [...this.#asked.values()].flatMap((asked) => questionsFor(asked, this.#leasePrefix))
    const entries = questions.reduce((sum, { requests }) => sum + requests.length, 0)
    const changes = this.#changes.length
    let sentAt: number | undefined
    const sending = this.#node.send((pipeline) => {
      for (const change of this.#changes) change(pipeline)
      for (const { put } of questions) put(pipeline)
      sentAt = performance.now()
    })
    const replies = await sending.finally(() => {
      if (sentAt !== undefined) onRoundTrip({ entries, changes, ms: performance.now() - sentAt })
    })
    const found = new Map<ReadRequest, Found>()
    for (const [index, { requests, parse }] of questions.entries()) {
      const [error, body] = replies[changes + index] ?? []
      const all = error ? [] : parse(body)
      for (const [at, request] of requests.entries()) found.set(request, all[at] ?? missed(request))
    }
    return { found, refusal: replies.find(([error]) => error)?.[0] ?? undefined }
  }
}

/**
 * One pipeline, there and back, or until its answer was given up.
 * @example const onRoundTrip = ({ ms }: RoundTrip) => histogram.observe(ms / 1000)
 */
export interface RoundTrip {
  /** How many entries it asked for. */
  readonly entries: number
  /** How many entries were stored and leases given back with it. */
  readonly changes: number
  readonly ms: number
}

export interface Answer {
  readonly found: ReadonlyMap<ReadRequest, Found>
  readonly refusal?: Error | undefined
  readonly failure?: Error
}

/** What a read finds if no node could be asked. A read that asked for a lease may load: no other holder is known. */
export function missed({ lease }: ReadRequest): Found {
  return { bytes: undefined, ...(lease && { lease: 'mine' }) }
}

/** One command, and the requests that its reply answers, in its order. */
interface Question {
  readonly requests: readonly ReadRequest[]
  readonly put: (pipeline: ChainableCommander) => void
  readonly parse: (body: unknown) => readonly Found[]
}

/** Entries alone by MGET, those with a lease by one script. */
function questionsFor(asked: readonly ReadRequest[], leasePrefix: string): Question[] {
  const leased = asked.filter((request): request is LeasedRead => request.lease !== undefined)
  const plain = asked.filter(({ lease }) => lease === undefined)
  const questions: Question[] = [
    {
      requests: plain,
      put: (pipeline) => pipeline.mgetBuffer(plain.map(({ key }) => key)),
      parse: (body) => (body as readonly (Buffer | null)[]).map((bytes) => ({ bytes: bytes ?? undefined })),
    },
    {
      requests: leased,
      put: (pipeline) => askForLeases(pipeline, leasePrefix, leased),
      parse: (body) => parseLeases(body, leased),
    },
  ]
  return questions.filter(({ requests }) => requests.length > 0)
}
