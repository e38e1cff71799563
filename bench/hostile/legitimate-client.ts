import { Agent, request } from 'node:http'
import { constants, setPriority } from 'node:os'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { Random, Zipf } from '../../src/kernel/random.ts'

/** What `hostile.ts` tells this process. */
export interface ReadOrder {
  readonly url: string
  readonly articles: number
  readonly perSecond: number
  readonly forMs: number
}

/** What it waited, in milliseconds. */
export interface Waited {
  readonly p50: number
  readonly p99: number
  readonly failed: number
  readonly count: number
}

/**
 * A process of its own that reads popular articles and lists at a steady rate. It goes before all others on its core, so that it
 * waits for the server alone. What it waits counts from when a request was due, sent or not.
 */
setPriority(constants.priority.PRIORITY_HIGHEST)
const agent = new Agent({ keepAlive: true, maxSockets: 32 })
const random = new Random(1)
let zipf = new Zipf(1)

process.on('message', async (order: ReadOrder) => {
  zipf = new Zipf(order.articles)
  process.send?.(await measure(order))
})

async function measure({ url, perSecond, forMs }: ReadOrder): Promise<Waited> {
  const count = Math.round((forMs / 1000) * perSecond)
  const begun = performance.now()
  const waits = Array.from({ length: count }, async (_, n) => {
    const dueAt = begun + (n * 1000) / perSecond
    await new Promise((resolve) => setTimeout(resolve, dueAt - performance.now()))
    // A timer may be a little early.
    const since = Math.min(dueAt, performance.now())
    const isAnswered = await read(url)
    return isAnswered ? performance.now() - since : Number.POSITIVE_INFINITY
  })
  const all = (await Promise.all(waits)).sort((a, b) => a - b)
  const at = (quantile: number) => all[Math.min(count - 1, Math.floor(count * quantile))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), failed: all.filter((wait) => !Number.isFinite(wait)).length, count }
}

/** Whether it was answered with data. */
function read(url: string): Promise<boolean> {
  const id = toGlobalId('Article', 1 + zipf.pick(random))
  const body =
    random.next() < 0.2
      ? JSON.stringify({ query: '{ articles(first: 20) { nodes { title summary author { displayName } } } }' })
      : JSON.stringify({
          query: 'query ($id: ID!) { article(id: $id) { title body tags { name } } }',
          variables: { id },
        })
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 200))
    })
    sent.on('error', () => resolve(false))
    sent.end(body)
  })
}
