import { expect, it } from '@jest/globals'
import { parseList, Token } from 'structured-headers'
import { testToken } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'
import { type Raw, rawClient } from './raw-client.ts'

/** RFC 9211, Cache-Status: a test begins with its section. `docs/standards.md` lists them. */
const database = await useDatabase()
const node = await useNode({ database, redis: useRedis(), environment: { CACHE_TTL_JITTER: '0' } })
await addContent(database.url)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`
const { ask } = rawClient(node.url)

/** The only member of a Cache-Status, as RFC 9211 has it. */
function cacheStatus({ headers }: Raw): Record<string, unknown> {
  const [[name, parameters] = [undefined, new Map()], ...more] = parseList(String(headers['cache-status']))
  expect([String(name), more]).toEqual(['stet', []])
  const status = Object.fromEntries(
    [...parameters].map(([key, value]) => [key, value instanceof Token ? String(value) : value]),
  )
  // One of the two, never both.
  expect('hit' in status).toBe(!('fwd' in status))
  return status
}

it('2.1–2.8 hit, fwd, ttl, stored, detail: says where an answer came from, in structured fields', async () => {
  const query = '{ articles(filter: { author: "ann" }, first: 3) { nodes { title } } }'
  const first = await ask(query)
  expect([cacheStatus(first), first.headers['x-cache']]).toEqual([{ fwd: 'miss', stored: true }, 'MISS'])
  const { ttl, ...second } = cacheStatus(await ask(query))
  expect(second).toEqual({ hit: true, detail: 'memory' })
  expect(ttl).toBeGreaterThan(50)
  expect(ttl).toBeLessThanOrEqual(60)
  await node.flush()
  node.cache.clearMemory()
  expect(cacheStatus(await ask(query))).toMatchObject({ hit: true, detail: 'redis' })
  // Its entries are at hand, the whole is not.
  const part = await ask('{ articles(filter: { author: "ann" }, first: 3) { nodes { slug } } }')
  expect([cacheStatus(part), part.headers['x-cache']]).toEqual([{ hit: true, detail: 'entries', stored: true }, 'HIT'])
  const past = await ask(query, { headers: { authorization: ann, 'cache-control': 'no-cache' } })
  expect([cacheStatus(past), past.headers['x-cache']]).toEqual([{ fwd: 'bypass', stored: true }, 'BYPASS'])
  await ask('{ article(slug: "published") { title } }')
  expect(cacheStatus(await ask('{ article(slug: "published") { title } user(id: "x") { id } }'))).toEqual({
    hit: true,
    detail: 'entries',
  })
  expect(cacheStatus(await ask('{ nonsense }'))).toEqual({ fwd: 'miss' })
})

it('2.6 collapsed: says so where an answer was made for somebody else', async () => {
  const query = '{ articles(filter: { author: "bob" }, first: 7) { nodes { bodyHtml } } }'
  const all = (await Promise.all([1, 2, 3, 4].map(() => ask(query)))).map(cacheStatus)
  expect(all.filter(({ stored }) => stored)).toEqual([{ fwd: 'miss', stored: true }])
  for (const status of all.filter(({ stored }) => !stored)) {
    expect([
      { fwd: 'miss', collapsed: true },
      { hit: true, detail: 'memory', ttl: expect.any(Number) },
    ]).toContainEqual(status)
  }
})

it.each<[what: string, query: string, headers: Record<string, string>, status: number]>([
  ['a token that is not valid', '{ __typename }', { authorization: 'Bearer x' }, 401],
  ['a position that is none', '{ __typename }', { 'stet-as-of': 'x' }, 400],
  ['a type that is not answered', '{ __typename }', { accept: 'image/png' }, 406],
])('2 Cache-Status: is absent where no cache was asked: %s', async (_what, query, headers, status) => {
  const answer = await ask(query, { headers })
  expect([answer.status, answer.headers['cache-status'], answer.headers['x-cache']]).toEqual([
    status,
    undefined,
    undefined,
  ])
})

it('2.4 ttl: is negative on a stale answer, and never more than what Cache-Control says is left', async () => {
  const query = '{ tags(first: 9) { nodes { name } } }'
  await ask(query)
  const { headers } = await ask(query)
  const [, ttl] = /; ttl=(\d+);/.exec(String(headers['cache-status'])) ?? []
  const [, maxAge] = /max-age=(\d+)/.exec(String(headers['cache-control'])) ?? []
  expect(Number(ttl)).toBeLessThanOrEqual(Number(maxAge) - Number(headers.age))
  await node.admin.send('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
  const stale = await ask(query)
  expect([stale.headers['x-cache'], cacheStatus(stale)]).toEqual([
    'STALE',
    { hit: true, detail: 'softened', ttl: expect.any(Number) },
  ])
})

it.each(['GET', 'HEAD', 'POST', 'QUERY'])('2 Cache-Status: by %s, in step with X-Cache', async (method) => {
  const query = `{ users(first: 2) { nodes { username } } ${method}: __typename }`
  for (const expected of ['fwd', 'hit', 'hit']) {
    const answer = await ask(query, { method })
    const status = cacheStatus(answer)
    expect([method, expected in status || status.detail === 'entries']).toEqual([method, true])
    expect('hit' in status).toBe(answer.headers['x-cache'] !== 'MISS')
  }
})
