import type { Redis } from 'ioredis'
import { atTurnEnd } from '../../kernel/turn-end.ts'
import { type GuardedRedis, type RedisNode, refusal as refusedByBreaker } from '../../redis/index.ts'
import { askForLeases, type LeasedRead, parseLeases } from './redis-lease-script.ts'
import type { Found, ReadRequest } from './remote-tier.ts'

export interface RedisTurnsOptions {
  readonly redis: GuardedRedis
  readonly leasePrefix: string
  /** How long changes wait for a read to travel with, in milliseconds. */
  readonly lingerMs: number
  readonly onError: (error: Error) => void
  readonly onRoundTrip: (trip: RoundTrip) => void
}

/**
 * What is asked for together (see `atTurnEnd`) travels in one pipeline to each node. Changes that wait travel with it,
 * so that a request which stores what it missed pays no round trip for that when it reads again.
 */
export class RedisTurns {
  readonly #options: RedisTurnsOptions
  #reads: Read[] = []
  #changes: KeyedChange[] = []
  #linger: NodeJS.Timeout | undefined
  #sent = Promise.resolve()

  constructor(options: RedisTurnsOptions) {
    this.#options = options
  }

  /** Rejects if no node answered in time, and at once if every breaker is open. The keys of a node that failed alone are missed. */
  read(requests: readonly ReadRequest[]): Promise<readonly Found[]> {
    if (requests.length === 0) return Promise.resolve([])
    const { redis } = this.#options
    if (requests.every(({ key }) => redis.nodeFor(key)?.admits() === false)) return Promise.reject(refusedByBreaker())
    return new Promise((resolve, reject) => {
      const count = this.#reads.push({ requests, resolve, reject })
      if (count === 1) atTurnEnd(() => void (this.#reads.length > 0 && this.flush()))
    })
  }

  /** Changes what is under `key`, soon. Dropped while the breaker is open. */
  change(key: string, change: Change): void {
    const { redis, lingerMs, onError } = this.#options
    if (redis.nodeFor(key)?.admits() === false) {
      onError(refusedByBreaker())
      return
    }
    this.#changes.push([key, change])
    this.#linger ??= setTimeout(() => void this.flush(), lingerMs)
  }

  /** Sends what waits. Resolves when Redis has answered everything sent so far, or that has failed. */
  flush(): Promise<void> {
    const reads = this.#reads
    const changes = this.#changes
    clearTimeout(this.#linger)
    this.#linger = undefined
    this.#reads = []
    this.#changes = []
    this.#sent = Promise.all([this.#sent, this.#send(reads, changes)]).then(() => {})
    return this.#sent
  }

  async #send(reads: readonly Read[], changes: readonly KeyedChange[]): Promise<void> {
    const { redis, leasePrefix, onError } = this.#options
    const batches = new Map<RedisNode | undefined, RedisBatch>()
    const batchFor = (key: string) => {
      const node = redis.nodeFor(key)
      const batch = batches.get(node) ?? new RedisBatch(node, leasePrefix)
      batches.set(node, batch)
      return batch
    }
    for (const [key, change] of changes) batchFor(key).change(change)
    const asked = reads.map((read) => ({ read, of: read.requests.map((each) => batchFor(each.key).ask(each)) }))

    const answers = new Map<RedisBatch, Promise<Answer>>()
    for (const batch of batches.values()) answers.set(batch, batch.send(this.#options))
    // The reader reports what its read rejects with.
    const rejected = new Set<Error>()
    const answered = asked.map(async ({ read: { requests, resolve, reject }, of }) => {
      const parts = await Promise.all(of.map((batch) => answers.get(batch)))
      const failures = parts.flatMap((answer) => answer?.failure ?? [])
      const [failure] = failures
      if (failure && failures.length === requests.length) {
        for (const each of failures) rejected.add(each)
        reject(failure)
      } else resolve(requests.map((each, index) => parts[index]?.found.get(each) ?? missed(each)))
    })
    await Promise.all(answered)
    for (const { failure } of await Promise.all(answers.values())) {
      if (failure && !rejected.has(failure)) onError(failure)
    }
  }
}

interface Read {
  readonly requests: readonly ReadRequest[]
  resolve(found: readonly Found[]): void
  reject(error: Error): void
}

/** Something to store or to give back: sends its command. */
type Change = (client: Redis) => Promise<unknown>

type KeyedChange = readonly [key: string, change: Change]

/** Everything that travels to one node in one pipeline: the changes, then the questions. */
class RedisBatch {
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

  /** Never rejects: if no answer came, `failure` says why. A command that the node refused counts as a miss, and `onError` is told why. */
  send(options: Pick<RedisTurnsOptions, 'onError' | 'onRoundTrip'>): Promise<Answer> {
    return this.#send(options).catch((failure: Error) => ({ found: new Map(), failure }))
  }

  async #send({ onError, onRoundTrip }: Pick<RedisTurnsOptions, 'onError' | 'onRoundTrip'>): Promise<Answer> {
    if (!this.#node) throw new Error('No node of the Redis Cluster serves these keys now')
    const questions = [...this.#asked.values()].flatMap((asked) => questionsFor(asked, this.#leasePrefix))
    const entries = questions.reduce((sum, { requests }) => sum + requests.length, 0)
    const changes = this.#changes.length
    let sentAt: number | undefined
    const sending = this.#node.send((client) => {
      sentAt = performance.now()
      return [...this.#changes, ...questions.map(({ put }) => put)].map((send) => send(client))
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
    const [refusal] = replies.flatMap(([error]) => error ?? [])
    if (refusal) onError(refusal)
    return { found }
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

interface Answer {
  readonly found: ReadonlyMap<ReadRequest, Found>
  readonly failure?: Error
}

/** What a read finds if no node could be asked. A read that asked for a lease may load: no other holder is known. */
export function missed({ lease }: ReadRequest): Found {
  return { bytes: undefined, ...(lease && { lease: 'mine' }) }
}

/** One command, and the requests that its reply answers, in its order. */
interface Question {
  readonly requests: readonly ReadRequest[]
  readonly put: (client: Redis) => Promise<unknown>
  readonly parse: (body: unknown) => readonly Found[]
}

/** Entries alone by MGET, those with a lease by one script. */
function questionsFor(asked: readonly ReadRequest[], leasePrefix: string): Question[] {
  const leased = asked.filter((request): request is LeasedRead => request.lease !== undefined)
  const plain = asked.filter(({ lease }) => lease === undefined)
  const questions: Question[] = [
    {
      requests: plain,
      put: (client) => client.mgetBuffer(plain.map(({ key }) => key)),
      parse: (body) => (body as readonly (Buffer | null)[]).map((bytes) => ({ bytes: bytes ?? undefined })),
    },
    {
      requests: leased,
      put: (client) => askForLeases(client, leasePrefix, leased),
      parse: (body) => parseLeases(body, leased),
    },
  ]
  return questions.filter(({ requests }) => requests.length > 0)
}
