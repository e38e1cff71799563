import { Agent, request } from 'node:http'
import { expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { addContent } from '../api/add-content.ts'
import { RunningStet } from '../api/run-stet.ts'
import { readMetric, TEST_JWT_SECRET, TEST_METRICS_TOKEN } from '../harness/index.ts'
import { use, useDatabase, useRedis } from '../harness/use.ts'

/**
 * What a request leaves must be collected as young: V8 copies whatever an old object leads to, dead or not. Each of these was seen to
 * keep all that requests had made, 10 to 30 KB of each: V8's pretenuring, pipelines of ioredis, objects that are spread
 * and added to, documents that were kept though nobody asked for them again.
 */
const REQUESTS = 1500

const database = await useDatabase()
const { redisUrl, redisPrefix } = useRedis()
const stet = use(
  new RunningStet(['serve', '--json'], {
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: redisPrefix,
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    METRICS_TOKEN: TEST_METRICS_TOKEN,
  }),
  (it) => it.end('SIGKILL'),
)
const { url } = await stet.serving()
await addContent(database.url)
const agent = use(new Agent({ keepAlive: true, maxSockets: 64 }), (it) => it.destroy())
let next = 0

it.each([
  [
    'answers of rows that memory holds',
    9000,
    '{ nodes(ids: $ids) { ... on Article { title author { username } tags { name } } } }',
  ],
  ['look-ups of what there is not', 6000, '{ node(id: $id) { id } }'],
  ['documents of which no two are alike', 9000, undefined],
])('leaves next to nothing old of %s', async (_what, bytes, selection) => {
  const body = () => {
    const n = next++
    const id = toGlobalId('Article', 1_000_000 + n)
    // What no document uses makes two requests unlike.
    const variables = { id, ids: ['Article', 'Article'].map((type, at) => toGlobalId(type, at + 1)), n }
    if (selection === undefined) return { query: `query D${n} { a${n}: articles(first: 5) { nodes { title } } }` }
    const declared = selection.includes('$ids') ? '$ids: [ID!]!' : '$id: ID!'
    return { query: `query (${declared}) ${selection}`, variables }
  }
  // Code is compiled, and V8 learns what it may.
  await askAll(REQUESTS, body)
  // On a busy machine more is under way when V8 collects. What grows old by itself does so each time.
  let least = Number.POSITIVE_INFINITY
  for (let time = 0; time < 5 && least >= bytes; time++) {
    const before = await look()
    await askAll(REQUESTS, body)
    const after = await look()
    // Otherwise old objects were collected in between.
    if (after.collections === before.collections) least = Math.min(least, (after.old - before.old) / REQUESTS)
  }
  expect(least).toBeLessThan(bytes)
})

async function look(): Promise<{ readonly old: number; readonly collections: number }> {
  const [old, collections] = await Promise.all([
    readMetric(url, 'nodejs_heap_space_size_used_bytes', { space: 'old' }),
    readMetric(url, 'nodejs_gc_duration_seconds_count', { kind: 'major' }),
  ])
  return { old, collections }
}

/** Many at a time: what is under way together is what makes objects old. */
async function askAll(count: number, body: () => object): Promise<void> {
  let left = count
  const ask = async () => {
    while (left-- > 0) expect(await post(JSON.stringify(body()))).toBe(200)
  }
  await Promise.all(Array.from({ length: 64 }, ask))
}

const post = (body: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject).end(body)
  })
