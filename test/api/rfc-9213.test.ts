import { expect, it } from '@jest/globals'
import { parseDictionary } from 'structured-headers'
import { eventually, queryOnce, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'
import { lasting, type Raw, rawClient } from './raw-client.ts'

/** RFC 9213, targeted cache control, and RFC 5861, stale-while-revalidate and stale-if-error: what a cache in front is told. */
const database = await useDatabase()
const environment = { CACHE_TTL_JITTER: '0', CACHE_GRACE: '45', CACHE_GRACE_IF_ERROR: '900' }
const useNodeWith = (more: Record<string, string>) => useNode({ database, environment: { ...environment, ...more } })
const plain = await useNodeWith({})
const brief = await useNodeWith({ CDN_MAX_AGE: '30' })
const long = await useNodeWith({ CDN_MAX_AGE: '86400' })
const none = await useNodeWith({ CDN_MAX_AGE: '0' })
const graceless = await useNodeWith({ CDN_MAX_AGE: '30', CACHE_GRACE: '0', CACHE_GRACE_IF_ERROR: '0' })
await addContent(database.url)
for (const node of [plain, brief, long, none, graceless]) await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`

const ARTICLE = '{ article(slug: "published") { title } }'
const LIST = '{ tags { totalCount } }'

const directivesOf = (header: string | string[] | undefined) =>
  Object.fromEntries([...parseDictionary(String(header))].map(([name, [value]]) => [name, value]))

const toldBy = ({ headers }: Raw) => ({
  own: directivesOf(headers['cache-control']),
  cdn: headers['cdn-cache-control'] === undefined ? undefined : directivesOf(headers['cdn-cache-control']),
  age: Number(headers.age),
})

it('3 CDN-Cache-Control: is absent, as s-maxage is, unless CDN_MAX_AGE is set', async () => {
  const { own, cdn } = toldBy(await rawClient(plain.url).hit(ARTICLE))
  expect([own, cdn]).toEqual([{ public: true, 'max-age': 300 }, undefined])
})

it.each<[what: string, node: TestNode, query: string, life: number, kept: number, stale: Record<string, number>]>([
  ['less than it lives', brief, ARTICLE, 300, 30, { 'stale-while-revalidate': 30, 'stale-if-error': 900 }],
  ['as long as it lives', long, ARTICLE, 300, 300, { 'stale-while-revalidate': 45, 'stale-if-error': 900 }],
  ['as long as a list lives', long, LIST, 60, 60, { 'stale-while-revalidate': 45, 'stale-if-error': 900 }],
  ['no time at all', none, ARTICLE, 300, 0, { 'stale-if-error': 900 }],
  ['nothing stale if Stet has no grace', graceless, ARTICLE, 300, 30, {}],
])('3 CDN-Cache-Control, RFC 5861: a CDN may keep an answer for %s', async (_what, node, query, life, kept, stale) => {
  const { hit } = rawClient(node.url)
  const { own, cdn, age } = toldBy(await hit(query))
  const shared = Math.min(life, age + kept)
  expect(own).toEqual({ public: true, 'max-age': life, 's-maxage': shared })
  expect(cdn).toEqual({ 'max-age': shared, ...stale })
})

it('2.2 Cache Behavior: what is no answer for everyone is targeted at no cache', async () => {
  const { ask } = rawClient(brief.url)
  for (const [query, headers] of [
    [ARTICLE, { authorization: ann }],
    ['{ viewer { email } }', {}],
    ['{ nonsense }', {}],
    [ARTICLE, { 'stet-as-of': 'nonsense' }],
    [ARTICLE, { accept: 'image/png' }],
    [ARTICLE, { 'stet-explain': '1', authorization: `Bearer ${await testToken('admin')}` }],
  ] as [string, Record<string, string>][]) {
    for (let n = 0; n < 2; n++) {
      const { headers: head } = await ask(query, { headers })
      expect([query, head['cache-control'], head['cdn-cache-control'], head['x-accel-expires']]).toEqual([
        query,
        'private, no-store',
        undefined,
        undefined,
      ])
    }
  }
})

it('2.2 Cache Behavior: a 304, HEAD, POST and QUERY say what the 200 to a GET says', async () => {
  const { ask, hit } = rawClient(brief.url)
  const full = await hit(ARTICLE)
  const headers = { 'if-none-match': String(full.headers.etag) }
  for (const [answer, status] of [
    [await ask(ARTICLE, { headers }), 304],
    [await ask(ARTICLE, { method: 'QUERY', headers }), 304],
    [await ask(ARTICLE, { method: 'HEAD' }), 200],
    [await ask(ARTICLE, { method: 'POST' }), 200],
    [await ask(ARTICLE, { method: 'QUERY' }), 200],
  ] as [Raw, number][]) {
    expect(answer.status).toBe(status)
    for (const name of ['etag', 'vary', 'surrogate-key', 'cache-tag']) {
      expect(answer.headers[name]).toBe(full.headers[name])
    }
    const { own, cdn, age } = toldBy(answer)
    expect(own).toEqual({ public: true, 'max-age': 300, 's-maxage': age + 30 })
    expect(cdn).toEqual({ 'max-age': age + 30, 'stale-while-revalidate': 30, 'stale-if-error': 900 })
  }
})

it('RFC 5861: a stale answer allows no more of it', async () => {
  const { ask } = rawClient(brief.url)
  const query = '{ tags(first: 4) { nodes { name } } }'
  await ask(query)
  await brief.admin.send('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
  const { headers } = await ask(query)
  expect([headers['x-cache'], headers['cache-control'], headers['cdn-cache-control']]).toEqual([
    'STALE',
    'public, max-age=0',
    undefined,
  ])
  await eventually(async () => toldBy(await ask(query)).cdn?.['max-age'] === 30)
})

it('tells one truth after an answer made of stale entries: X-Cache, Cache-Control and Explain', async () => {
  const { ask } = rawClient(brief.url)
  const admin = `Bearer ${await testToken('admin')}`
  const explain = async (query: string) => {
    const { body } = await ask(query, { headers: { 'stet-explain': '1', authorization: admin } })
    return JSON.parse(body).extensions.stet.answer.kept.kept as boolean
  }
  for (let n = 0; n < 3; n++) {
    await ask(`{ tags(first: 6) { nodes { name slug } } a${n}: __typename }`)
    await brief.admin.send('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
    const query = `{ tags(first: 6) { nodes { slug name } } b${n}: __typename }`
    const first = await ask(query)
    expect([first.headers['x-cache'], first.headers['cache-control']]).toEqual(['STALE', 'private, no-store'])
    await eventually(async () => {
      const [before, answer, after] = [await explain(query), await ask(query), await explain(query)]
      const { 'x-cache': word, 'cache-control': control } = answer.headers
      const isFresh = /^public, max-age=[1-9]/.test(String(control))
      expect([word, isFresh]).toEqual([isFresh ? 'HIT' : 'STALE', isFresh])
      // It may be refreshed between two looks.
      if (before === after) expect([before, control]).toEqual([isFresh, control])
      return isFresh && after
    })
  }
})

it('never names a life that is longer than what is left, however old the answer is', async () => {
  const query = '{ user(username: "bob") { displayName } }'
  const { ask } = rawClient(brief.url)
  await ask(query)
  await eventually(async () => toldBy(await ask(query)).age > 0)
  const { own, cdn, age } = toldBy(await ask(query))
  expect([own['s-maxage'], cdn?.['max-age']]).toEqual([age + 30, age + 30])
  await queryOnce(database.url, `update users set display_name = 'Robert' where username = 'bob'`)
  await brief.catchUp()
  expect(toldBy(await ask(query))).toMatchObject({ own: { 's-maxage': 30 }, age: 0 })
})

it('tells browsers the same with CDN_MAX_AGE and without it', async () => {
  const own = async (node: TestNode) => {
    const { headers } = await rawClient(node.url).hit('{ users { totalCount } }')
    const { 'cdn-cache-control': _, 'stet-as-of': __, ...rest } = lasting(headers)
    return { ...rest, 'cache-control': String(rest['cache-control']).replace(/, s-maxage=\d+/, '') }
  }
  const expected = await own(plain)
  for (const node of [brief, long, none, graceless]) expect(await own(node)).toEqual(expected)
})
