import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from '@jest/globals'
import { launchChromium, startTestNode, type TestNode, testToken } from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** Pages of other origins, as the Fetch standard has it: https://fetch.spec.whatwg.org/#http-cors-protocol. */
const pages = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html')
  response.end('<!doctype html><title>A page of another origin</title>')
})
use(await new Promise<typeof pages>((resolve) => pages.listen(0, '127.0.0.1', () => resolve(pages))), (it) =>
  it.close(),
)
const { port } = pages.address() as AddressInfo
const PAGE = `http://127.0.0.1:${port}`
/** The same page. To a browser it is of another origin. */
const STRANGER = `http://localhost:${port}`
const OTHER = 'https://other.example'

const database = await useDatabase()
const listed = await useNode({ database, environment: { CORS_ORIGINS: `${PAGE},${OTHER}` } })
const single = await useNode({ database, environment: { CORS_ORIGINS: OTHER } })
const open = await useNode({ database, environment: { CORS_ORIGINS: '*' } })
const closed = await useNode({ database })
await addContent(database.url)
for (const node of [listed, single, open, closed]) await node.catchUp()

const QUERY = `/graphql?query=${encodeURIComponent('{ article(slug: "published") { title } }')}`

const send = (node: TestNode, init: RequestInit, path = '/graphql') => fetch(node.url + path, init)

const preflight = (node: TestNode, origin: string, headers: Record<string, string> = {}) =>
  send(node, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,stet-as-of',
      ...headers,
    },
  })

const corsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')))

it('answers a preflight with all that a page may send', async () => {
  const answer = await preflight(listed, PAGE)
  expect([answer.status, await answer.text(), answer.headers.get('vary')]).toEqual([204, '', 'Origin'])
  expect(corsOf(answer)).toMatchObject({
    'access-control-allow-origin': PAGE,
    'access-control-allow-methods': 'GET, HEAD, POST, QUERY',
    'access-control-max-age': '7200',
  })
  const allowed = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(', ')
  const named = ['authorization', 'content-type', 'if-none-match', 'stet-as-of', 'stet-explain']
  expect(allowed).toEqual(expect.arrayContaining(named))
  expect(answer.headers.has('access-control-allow-credentials')).toBe(false)
})

it('answers a preflight before anything else', async () => {
  const all: Record<string, string>[] = [
    { authorization: 'Bearer nonsense' },
    { 'stet-as-of': 'nonsense' },
    { 'stet-as-of': `${'9'.repeat(15)}.${'a'.repeat(12)}` },
    { accept: 'text/html' },
    { 'cache-control': 'only-if-cached' },
  ]
  for (const headers of all) {
    const answer = await preflight(listed, PAGE, headers)
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, PAGE])
  }
})

it('tells a stranger only which methods there are', async () => {
  for (const [node, origin] of [
    [listed, STRANGER],
    [closed, PAGE],
    [listed, 'null'],
  ] as const) {
    const answer = await preflight(node, origin)
    expect([answer.status, corsOf(answer)]).toEqual([204, {}])
    expect(answer.headers.get('allow')).toContain('POST')
  }
})

it('names the origin in every answer: kept, not modified, refused', async () => {
  const headers = { origin: PAGE }
  const first = await send(listed, { headers }, QUERY)
  const second = await send(listed, { headers }, QUERY)
  const etag = String(second.headers.get('etag'))
  expect(second.headers.get('x-cache')).toBe('HIT')
  const answers = [
    first,
    second,
    await send(listed, { headers: { ...headers, 'if-none-match': etag } }, QUERY),
    await send(listed, { headers, method: 'HEAD' }, QUERY),
    await send(listed, { headers: { ...headers, authorization: 'Bearer nonsense' } }, QUERY),
    await send(listed, { headers }),
    await send(listed, { headers, method: 'PUT' }),
    await send(listed, { headers: { ...headers, 'content-type': 'text/xml' }, method: 'POST', body: '<a/>' }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 304, 200, 401, 400, 405, 415])
  for (const answer of answers) {
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE)
    const exposed = answer.headers.get('access-control-expose-headers')?.split(', ')
    expect(exposed).toEqual(
      expect.arrayContaining([
        ...['Stet-As-Of', 'X-Cache', 'Cache-Status', 'ETag', 'Age', 'Retry-After', 'RateLimit', 'X-Request-Id'],
      ]),
    )
    expect(answer.headers.get('vary')?.toLowerCase().split(', ')).toContain('origin')
  }
})

it('keeps one answer for all origins, and says Vary: Origin if they are told different things', async () => {
  for (const [node, varies, names] of [
    [listed, true, [undefined, PAGE, OTHER, undefined]],
    [single, false, [OTHER, OTHER, OTHER, OTHER]],
    [open, false, ['*', '*', '*', '*']],
    [closed, false, [undefined, undefined, undefined, undefined]],
  ] as const) {
    await send(node, {}, QUERY)
    const answers = []
    for (const origin of [undefined, PAGE, OTHER, STRANGER]) {
      answers.push(await send(node, { headers: origin === undefined ? {} : { origin } }, QUERY))
    }
    expect(answers.map(({ headers }) => headers.get('access-control-allow-origin') ?? undefined)).toEqual(names)
    for (const { headers } of answers) {
      expect(headers.get('x-cache')).toBe('HIT')
      expect(/\borigin\b/i.test(String(headers.get('vary')))).toBe(varies)
    }
  }
})

it('lets pages of this machine call in demo mode, and no others; the demo token is not for them', async () => {
  const demo = await startTestNode({ databaseUrl: database.url, environment: { AUTH_JWT_SECRET: '' } })
  try {
    expect(corsOf(await preflight(demo, PAGE))).toMatchObject({ 'access-control-allow-origin': PAGE })
    expect(corsOf(await preflight(demo, OTHER))).toEqual({})
    const config = await send(demo, { headers: { origin: PAGE } }, '/graphiql/config.json')
    expect([config.status, corsOf(config)]).toEqual([200, {}])
  } finally {
    await demo.close()
  }
})

it('lets a page of another origin sign in, read and write, in a real browser', async () => {
  const browser = use(await launchChromium(), (it) => it.close())
  const page = await browser.newPage()
  await page.goto(PAGE)
  const token = await testToken('author', ANN)
  const seen = await page.evaluate(
    async ({ url, token, id }) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const ask = async (query: string, more: Record<string, string> = {}) => {
        const body = JSON.stringify({ query })
        const answer = await fetch(`${url}/graphql`, { method: 'POST', headers: { ...headers, ...more }, body })
        return { body: await answer.json(), headers: Object.fromEntries(answer.headers) }
      }
      const signedIn = await ask('{ viewer { username } }')
      const written = await ask(
        `mutation { updateArticle(input: { id: "${id}", title: "From another origin" }) { article { title } } }`,
      )
      const asOf = String(written.headers['stet-as-of'])
      const read = await ask('{ article(slug: "published") { title } }', { 'stet-as-of': asOf })
      const path = `${url}/graphql?query=${encodeURIComponent('{ article(slug: "published") { title } }')}`
      const first = await fetch(path)
      const etag = String(first.headers.get('etag'))
      const again = await fetch(path, { headers: { 'if-none-match': etag } })
      const named = { 'apollographql-client-name': 'page', 'x-request-id': 'from-a-page' }
      const client = await ask('{ viewer { username } }', named)
      const refused = await fetch(`${url}/graphql`, { headers: { authorization: 'Bearer nonsense' } })
      return { signedIn, written, read, again: again.status, client, refused: refused.status }
    },
    { url: listed.url, token, id: ids.published },
  )
  expect(seen).toMatchObject({
    signedIn: { body: { data: { viewer: { username: 'ann' } } } },
    written: { body: { data: { updateArticle: { article: { title: 'From another origin' } } } } },
    read: {
      body: { data: { article: { title: 'From another origin' } } },
      headers: { 'stet-as-of': expect.any(String), 'x-cache': expect.any(String), 'cache-status': expect.any(String) },
    },
    again: 304,
    client: { headers: { 'x-request-id': 'from-a-page' } },
    refused: 401,
  })

  await page.goto(STRANGER)
  const isRefused = (url: string) =>
    page.evaluate(
      (it) =>
        fetch(it).then(
          () => false,
          () => true,
        ),
      url,
    )
  expect(await isRefused(`${listed.url}${QUERY}`)).toBe(true)
  expect(await isRefused(`${open.url}${QUERY}`)).toBe(false)
  await page.goto(PAGE)
  expect(await isRefused(`${closed.url}${QUERY}`)).toBe(true)
})
