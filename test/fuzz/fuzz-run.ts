import { buildSchema } from 'graphql'
import { readSchema } from '../../src/graphql/schema/read-schema.ts'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { ANN, addContent, BOB, ids } from '../api/add-content.ts'
import { currentToken, exchange, GraphQLClient, testToken } from '../harness/index.ts'
import { whyWrong } from './check-reply.ts'
import { FuzzNode } from './fuzz-node.ts'
import { type FuzzRequest, type FuzzWorld, makeRequest } from './generate/requests.ts'
import { HonestClient } from './honest-client.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly requests: number
  /** The number of the first request: to repeat some of a run. Default: 0. */
  readonly from?: number
  /** Whether the heap must be level. Default: false. */
  readonly watchesMemory?: boolean
  readonly onProgress?: (done: number) => void
}

export interface FuzzReport {
  /** What went wrong, in words, with what repeats it. At most `MAX_FAULTS`. */
  readonly faults: readonly string[]
  /** How many answers had each status. */
  readonly statuses: Readonly<Record<string, number>>
  /** How often each error code was told. */
  readonly codes: Readonly<Record<string, number>>
  /** Bytes of heap and buffers after each tenth of the run. */
  readonly heldBytes: readonly number[]
}

/** Sends made-up requests to a node and looks at every answer, at what the node logs, and at what an honest client is told meanwhile. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const node = await FuzzNode.start(ENVIRONMENT)
  try {
    const world = await prepare(node)
    return await new FuzzRun(node, world, await HonestClient.join(node), options).run()
  } finally {
    await node.end()
  }
}

/** Small caches: they are full after a tenth of a long run. */
const ENVIRONMENT = {
  CACHE_MEMORY_MAX_MB: '8',
  CATCH_UP_TIMEOUT_MS: '50',
  AUTH_MAX_FAILURES: '1000000000',
  RATE_LIMIT_MODE: 'measure',
}

const BATCH = 100
const AT_ONCE = 8
const MAX_FAULTS = 20
/** More than any answer takes on a busy machine. */
const ANSWER_MS = 30_000
/** How long to listen after a request that may be incomplete. */
const PATIENCE_MS = 150
/** A longer request may be refused before it is sent, and the answer lost: TCP drops it if more bytes arrive after the end. */
const MAY_BE_CUT_OFF_BYTES = 60_000
/** What the heap may hold: the caches of documents are bounded, and full after some 60,000 requests. */
const MAX_HELD_BYTES = 200 * 1024 * 1024
/** By how much it may grow from then on. */
const MAX_GROWTH_BYTES = 24 * 1024 * 1024
const FULL_AFTER_REQUESTS = 60_000

class FuzzRun {
  readonly #node: FuzzNode
  readonly #world: FuzzWorld
  readonly #honest: HonestClient
  readonly #options: FuzzOptions
  readonly #faults: string[] = []
  readonly #statuses: Record<string, number> = {}
  readonly #codes: Record<string, number> = {}
  readonly #heldBytes: number[] = []

  constructor(node: FuzzNode, world: FuzzWorld, honest: HonestClient, options: FuzzOptions) {
    this.#node = node
    this.#world = world
    this.#honest = honest
    this.#options = options
  }

  async run(): Promise<FuzzReport> {
    const { requests, from = 0, watchesMemory = false, onProgress } = this.#options
    const tenth = Math.max(BATCH, Math.floor(requests / 10 / BATCH) * BATCH)
    for (let done = 0; done < requests && this.#faults.length < MAX_FAULTS; done += BATCH) {
      await this.#batch(from + done, Math.min(BATCH, requests - done))
      if (watchesMemory && (done + BATCH) % tenth === 0) this.#heldBytes.push(await this.#node.heldBytes())
      onProgress?.(done + BATCH)
    }
    this.#checkMemory()
    return { faults: this.#faults, statuses: this.#statuses, codes: this.#codes, heldBytes: this.#heldBytes }
  }

  async #batch(first: number, size: number): Promise<void> {
    let next = first
    const sender = async () => {
      while (next < first + size) await this.#send(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sender))
    const wrong = await this.#honest.findsWrong()
    const faults = [...(wrong === undefined ? [] : [wrong]), ...this.#node.takeFaults()]
    for (const fault of faults) this.#report(`after ${first} to ${first + size - 1}`, fault)
  }

  async #send(n: number): Promise<void> {
    const request = makeRequest(this.#world, this.#options.seed, n)
    const timeoutMs = request.mayWait ? PATIENCE_MS : ANSWER_MS
    const startedAt = performance.now()
    let replies: Awaited<ReturnType<typeof exchange>>
    try {
      replies = await exchange(this.#node.url, [request], { timeoutMs })
    } catch (error) {
      this.#report(`request ${n}`, `no connection: ${error}`)
      return
    }
    const [reply] = replies
    if (reply) {
      const [, status = 'none'] = reply.start.split(' ')
      this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
      for (const [, code = ''] of reply.body.matchAll(/"code":"([A-Z_]+)"/g)) {
        this.#codes[code] = (this.#codes[code] ?? 0) + 1
      }
      const why = whyWrong(reply, request.isHead)
      if (why !== undefined) this.#report(`request ${n}`, why, request)
    } else if (!request.mayWait && request.bytes.length < MAY_BE_CUT_OFF_BYTES) {
      this.#report(`request ${n}`, `no answer within ${Math.round(performance.now() - startedAt)} ms`, request)
    }
  }

  #report(where: string, why: string, request?: FuzzRequest): void {
    if (this.#faults.length >= MAX_FAULTS) return
    const sent = request ? `\n${JSON.stringify(request.bytes.toString('latin1').slice(0, 3000))}` : ''
    this.#faults.push(`${where} of --seed ${this.#options.seed}: ${why}${sent}`)
  }

  #checkMemory(): void {
    const most = Math.max(...this.#heldBytes)
    if (most > MAX_HELD_BYTES) this.#report('the whole run', `the heap grew to ${most} bytes`)
    const tenths = Math.ceil(FULL_AFTER_REQUESTS / (this.#options.requests / 10))
    const growth = (this.#heldBytes.at(-1) ?? 0) - (this.#heldBytes[tenths - 1] ?? Number.POSITIVE_INFINITY)
    if (growth > MAX_GROWTH_BYTES)
      this.#report('the whole run', `the heap grew by ${growth} bytes although it was full`)
  }
}

/** Content, an admin who was demoted, and what is known of all of it. */
async function prepare(node: FuzzNode): Promise<FuzzWorld> {
  await addContent(node.databaseUrl)
  await node.sql(`insert into users (username, display_name, email) values ('dave', 'Dave', 'dave@example.com')`)
  const admin = new GraphQLClient(node.url, await testToken('admin'))
  const orders = ['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED'].map(
    (order) => `${order}: articles(orderBy: ${order}) { pageInfo { startCursor endCursor } }`,
  )
  const asOf = { 'stet-as-of': await currentToken(node.databaseUrl) }
  const lists = await admin.get<Record<string, { pageInfo: { startCursor: string; endCursor: string } }>>(
    `{ ${orders.join(' ')} users { pageInfo { startCursor endCursor } } tags { pageInfo { startCursor endCursor } } }`,
    {},
    asOf,
  )
  const token = await currentToken(node.databaseUrl)
  const [ann, bob] = [await testToken('author', ANN), await testToken('author', BOB)]
  return {
    schema: buildSchema(readSchema()),
    known: {
      ids: [...Object.values(ids), toGlobalId('Article', 99), toGlobalId('User', 99)],
      cursors: Object.values(lists).flatMap(({ pageInfo }) => [pageInfo.startCursor, pageInfo.endCursor]),
      slugs: ['published', 'anns-draft', 'ann', 'bob', 'cats', 'dogs', 'none'],
    },
    marks: { ann, bob, token, entityTag: '"x"' },
    tokens: {
      visitor: '',
      ann,
      bob,
      admin: await testToken('admin'),
      demoted: await testToken('admin', 3),
      deleted: await testToken('author', 99),
    },
  }
}
