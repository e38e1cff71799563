import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { currentToken, exchange, queryOnce, type RawReply, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, BOB } from './add-content.ts'
import { type Marks, METHODS, type OddRequest, oddRequest, plainRequest } from './alike/odd-request.ts'
import { ODDITIES } from './alike/oddities.ts'

/**
 * A request is answered alike whether its answer was kept or not: status, headers, bytes, but for the headers that tell of the cache.
 *
 * Each odd request asks something that nobody asked before, so the first answer to it is a miss. Then the same is asked in the plain
 * way until that is a hit, and the odd request is repeated. In the end all tags fall, and each is asked again: by then its operation is
 * known, and its answer is not kept.
 */

const database = await useDatabase()
// Many of the requests have bad tokens, all from one address.
const environment = { CATCH_UP_TIMEOUT_MS: '500', AUTH_MAX_FAILURES: '100000' }
const node = await useNode({ database, environment })
/** Makes the same answers: it knows the entity tag of an answer that `node` has not made yet. */
const other = await useNode({ database, environment })
await addContent(database.url)
await queryOnce(database.url, `update articles set body = repeat('A fox, ', 600) where id = 1`)
await node.catchUp()
await other.catchUp()
const token = await currentToken(database.url)
const marks: Marks = { ann: await testToken('author', ANN), bob: await testToken('author', BOB), token, entityTag: '' }

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

/** Each oddity by itself, and then a few together. Two thirds of the first, unless `TEST_RUNS` asks for more of the others. */
const isShort = process.env.TEST_RUNS === undefined
const cases: readonly OddRequest[] = [
  ...ODDITIES.map((oddity, n) => ({
    oddities: [oddity],
    method: METHODS[(n + seed) % METHODS.length] ?? 'GET',
  })).filter((_, n) => !isShort || n % 3 !== seed % 3),
  ...fc.sample(
    fc.record({
      oddities: fc.uniqueArray(fc.constantFrom(...ODDITIES), { minLength: 2, maxLength: 3 }),
      method: fc.constantFrom(...METHODS),
    }),
    { seed, numRuns: Number(process.env.TEST_RUNS ?? 60) },
  ),
].map((request, n) => ({ ...request, n }))

it(`answers ${cases.length} odd requests alike, on a miss and on a hit (TEST_SEED=${seed})`, async () => {
  expect(cases.length).toBeGreaterThan(300)
  const first = await each(async (request) => {
    const [plain] = await exchange(other.url, [plainRequest(request, marks)])
    const own = { ...marks, entityTag: plain?.headers.get('etag') ?? '' }
    return { request, own, told: await ask(request, own) }
  })
  const different = new Map<OddRequest, string>()
  let hits = 0
  const repeat = async (when: string) => {
    const again = await each(({ n }) => ask(at(first, n).request, at(first, n).own))
    for (const [n, told] of again.entries()) {
      const { request, told: before } = at(first, n)
      if (told.cache === 'HIT') hits++
      const differing = Object.keys({ ...before.seen, ...told.seen }).filter(
        (name) => before.seen[name] !== told.seen[name],
      )
      if (differing.length === 0 || different.has(request)) continue
      const lines = differing.map((name) => `  ${name}: ${brief(before.seen[name])} → ${brief(told.seen[name])}`)
      const oddities = request.oddities.map(({ name }) => name).join(' + ')
      different.set(request, [`#${n} ${request.method}, ${oddities}, ${when}:`, ...lines].join('\n'))
    }
  }
  await each(async (request) => {
    for (const bearer of [undefined, marks.ann, marks.bob]) {
      const plain = plainRequest(request, marks, bearer)
      const replies = await exchange(node.url, [plain, plain, plain])
      expect(replies.at(-1)?.headers.get('x-cache')).toBe('HIT')
    }
  })
  await repeat('after the plain request was')
  await repeat('after this one was')
  await repeat('once more')
  await queryOnce(database.url, `select stet.touch('articles:any', 'users:any', 'tags:any')`)
  await node.catchUp()
  await repeat('when its answer has fallen')
  await repeat('when that was made again')
  expect([...different.values()].join('\n')).toBe('')
  expect(hits).toBeGreaterThan(cases.length)
}, 180_000)

/** Visits all cases, a few at a time. */
async function each<T>(visit: (request: OddRequest) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  const waiting = [...cases.entries()]
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await visit(next[1])
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  return results
}

function at<T>(list: readonly T[], n: number): T {
  const item = list[n]
  if (item === undefined) throw new RangeError(`nothing at ${n}`)
  return item
}

interface Told {
  readonly cache: string | undefined
  /** What must be alike, by name. */
  readonly seen: Readonly<Record<string, string>>
}

async function ask(request: OddRequest, own: Marks): Promise<Told> {
  const { isPipelined, ...odd } = oddRequest(request, own)
  // Node answers nothing that is pipelined behind a request for an upgrade: it is silent until the exchange is given up.
  const asksUpgrade = /^upgrade:/im.test(odd.bytes.toString('latin1'))
  const options = { isPipelined, ...(isPipelined && asksUpgrade ? { timeoutMs: 3000 } : {}) }
  const replies = await exchange(node.url, isPipelined ? [NEXT, odd, NEXT] : [odd, NEXT], options)
  const [reply, next] = isPipelined ? replies.slice(1) : replies
  if (!reply) return { cache: undefined, seen: { start: 'closed without an answer' } }
  const seen = { ...comparable(reply, odd.bytes.toString('latin1')), next: next?.start ?? 'closed' }
  return { cache: reply.headers.get('x-cache'), seen }
}

/** Also tells whether the connection goes on. */
const NEXT = { bytes: 'GET /graphql?query={__typename} HTTP/1.1\r\nHost: test\r\n\r\n' }

/**
 * Without what tells of the cache or of the moment, and without ids that the server made.
 *
 * An answer to a POST is compressed, and has an entity tag, only once it is kept: then it is compared as it was before that.
 */
function comparable({ start, headers, body }: RawReply, sent: string): Record<string, string> {
  const id = headers.get('x-request-id')
  const isMade = id !== undefined && !sent.includes(id)
  const isPost = sent.startsWith('POST')
  const ignored = [...OF_THE_CACHE, ...(isPost ? OF_A_KEPT_POST : []), ...(isMade ? ['x-request-id'] : [])]
  const plain = isPost ? decoded(body, headers.get('content-encoding')) : body
  const told = (isMade ? plain.replaceAll(id, '…') : plain).replace(/stands at \d+/, 'stands at …')
  return Object.fromEntries([
    ['start', start],
    ['body', told],
    ...[...headers].filter(([name]) => !ignored.includes(name)),
  ])
}

const OF_THE_CACHE = ['date', 'cache-status', 'x-cache', 'age', 'x-accel-expires', 'stet-as-of']
const OF_A_KEPT_POST = ['etag', 'content-encoding', 'content-length']

function decoded(body: string, encoding: string | undefined): string {
  const bytes = Buffer.from(body, 'latin1')
  if (encoding === 'br') return brotliDecompressSync(bytes).toString('latin1')
  return encoding === 'gzip' ? gunzipSync(bytes).toString('latin1') : body
}

const brief = (value: string | undefined) =>
  value === undefined ? 'none' : value.length > 150 ? `${value.slice(0, 150)}… (${value.length})` : value
