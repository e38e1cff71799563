import { afterEach, describe, expect, it } from '@jest/globals'
import {
  currentToken,
  eventually,
  queryOnce,
  sharedServers,
  startFaultProxy,
  startTestNode,
  type TestNode,
  testToken,
} from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** What `Stet-As-Of` does on a request, by every way to ask. */
const database = await useDatabase()
const node = await useNode({ database, environment: { CATCH_UP_TIMEOUT_MS: '100' } })
const other = await useNode({ database })
await addContent(database.url)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`

const TITLE = '{ article(slug: "published") { title } }'

interface Told {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly data?: unknown; readonly errors?: { extensions: { code: string } }[] } | undefined
}

type Ask = (token: string, at?: TestNode) => Promise<Told>

async function told(response: Response): Promise<Told> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

const bodied =
  (method: string): Ask =>
  async (token, at = node) =>
    told(
      await fetch(`${at.url}/graphql`, {
        method,
        headers: { 'content-type': 'application/json', 'stet-as-of': token },
        body: JSON.stringify({ query: TITLE }),
      }),
    )

const PATH = `/graphql?query=${encodeURIComponent(TITLE)}`
const bodiless =
  (method: string, more: Record<string, string> = {}): Ask =>
  async (token, at = node) =>
    told(await fetch(at.url + PATH, { method, headers: { 'stet-as-of': token, ...more } }))

const WAYS: readonly [way: string, ask: Ask][] = [
  ['GET', bodiless('GET')],
  ['GET, signed in', bodiless('GET', { authorization: ann })],
  ['HEAD', bodiless('HEAD')],
  ['POST', bodied('POST')],
  ['QUERY', bodied('QUERY')],
]

let renamed = 0
/** A write that no node is told of. */
async function rename(): Promise<string> {
  const title = `By hand ${++renamed}`
  await queryOnce(database.url, `update articles set title = '${title}' where slug = 'published'`)
  return title
}

const rememberedTitles = async () => queryOnce(database.url, `select title from articles where slug = 'published'`)

/** Another history of the log begins, as after a restore or a fail-over. */
const beginEpoch = () => queryOnce(database.url, 'select stet.start_epoch(stet.current_epoch())')

const mutate = async (title: string, token: string) =>
  told(
    await fetch(`${node.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: ann, 'stet-as-of': token },
      body: JSON.stringify({
        query: `mutation { updateArticle(input: { id: "${ids.published}", title: "${title}" }) { article { title } } }`,
      }),
    }),
  )

/** HEAD has none. */
const expectTitle = (way: string, { status, body }: Told, title: string) =>
  expect([way, status, body]).toEqual([way, 200, way === 'HEAD' ? undefined : { data: { article: { title } } }])

const expectRefusal = (way: string, { status, body, headers }: Told, expected: number, code: string) => {
  expect([way, status, body?.errors?.map(({ extensions }) => extensions.code)]).toEqual([
    way,
    expected,
    way === 'HEAD' ? undefined : [code],
  ])
  expect(body?.data).toBeUndefined()
  expect(headers.get('cache-control')).toBe('private, no-store')
  // Of this node, whatever was sent: a client that drops its own token has one to go on with.
  expect(headers.get('stet-as-of')).toMatch(TOKEN)
}

const TOKEN = /^\d+\.[0-9a-f]{12}$/

describe.each(WAYS)('by %s', (way, ask) => {
  it('waits for the position of its token', async () => {
    const title = await rename()
    expectTitle(way, await ask(await currentToken(database.url)), title)
  })

  it('takes the token of its own answers, and an empty one for none', async () => {
    const first = await ask('')
    const token = String(first.headers.get('stet-as-of'))
    expect([first.status, token]).toEqual([200, expect.stringMatching(TOKEN)])
    expect((await ask(token)).status).toBe(200)
  })

  it.each([
    'garbage',
    '1',
    '-1.abc',
    '1.xyz',
    `${'9'.repeat(16)}.abc`,
    '1.abc, 2.abc',
    '1.abc.d',
    '1.5.abc',
    '1.ABC',
    '+1.abc',
    '1e3.abc',
    '0x1.abc',
    '1. abc',
    '"1.abc"',
    `1.${'a'.repeat(33)}`,
    '.abc',
    '1.',
  ])('refuses %j', async (token) => {
    expectRefusal(way, await ask(token), 400, 'BAD_USER_INPUT')
  })

  it('says at once that it has not caught up with a position that there is not', async () => {
    const [position, epoch] = (await currentToken(database.url)).split('.')
    const answer = await ask(`${Number(position) + 1000}.${epoch}`)
    expectRefusal(way, answer, 503, 'NOT_CAUGHT_UP')
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  it.each(['999999.abcdef', '0.000000000000', `1.${'a'.repeat(32)}`, `${'9'.repeat(15)}.0`])(
    'takes %s, of another epoch, as a wish for the newest there is',
    async (token) => {
      const title = await rename()
      const answer = await ask(token)
      expectTitle(way, answer, title)
      // From here on the client has a token of this epoch.
      expect(answer.headers.get('stet-as-of')).toBe(await currentToken(database.url))
    },
  )

  it('goes on with its old token once another epoch has begun', async () => {
    const token = await currentToken(database.url)
    await ask(token)
    await beginEpoch()
    const title = await rename()
    for (const at of [node, other]) {
      // A node learns of it by its next look at the log, as of any write.
      await at.catchUp()
      const answer = await ask(token, at)
      expectTitle(way, answer, title)
      expect(answer.headers.get('stet-as-of')?.split('.')[1]).not.toBe(token.split('.')[1])
    }
  })

  it('takes a token of an epoch that this node has not heard of yet', async () => {
    await beginEpoch()
    const title = await rename()
    const token = await currentToken(database.url)
    for (const at of [other, node]) expectTitle(way, await ask(token, at), title)
  })
})

it('runs a mutation with a token of another epoch', async () => {
  const answer = await mutate('By another epoch', '999999.abcdef')
  expect(answer).toMatchObject({
    status: 200,
    body: { data: { updateArticle: { article: { title: 'By another epoch' } } } },
  })
  const token = String(answer.headers.get('stet-as-of'))
  expect(token).toMatch(TOKEN)
  expectTitle('GET', await bodiless('GET')(token, other), 'By another epoch')
})

it.each([
  ['garbage', 400, 'BAD_USER_INPUT'],
  ['1.abc, 2.abc', 400, 'BAD_USER_INPUT'],
  [undefined, 503, 'NOT_CAUGHT_UP'],
])('does not run a mutation with the token %s', async (given, status, code) => {
  const before = await rememberedTitles()
  const [position, epoch] = (await currentToken(database.url)).split('.')
  expectRefusal('POST', await mutate('Never', given ?? `${Number(position) + 1000}.${epoch}`), status, code)
  expect(await rememberedTitles()).toEqual(before)
})

it('sends no stream of events, with a token or without one', async () => {
  for (const token of ['', '999999.abcdef', await currentToken(database.url)]) {
    expectRefusal('GET', await bodiless('GET', { accept: 'text/event-stream' })(token), 406, 'BAD_REQUEST')
  }
})

it('puts its own position on every answer, of refused requests too', async () => {
  const { token } = await node.visitor.send(TITLE)
  expect(token).toMatch(TOKEN)
  for (const header of ['authorization', 'stet-as-of']) {
    expect((await node.visitor.send(TITLE, {}, { [header]: 'Bearer nonsense' })).token).toBe(token)
  }
  expect((await node.visitor.send('{ nonsense }')).token).toBe(token)
})

describe('while the log can’t be read', () => {
  const close: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const end of close.splice(0)) await end()
  })

  it('a token that the node has reached is answered, and one of another epoch is not', async () => {
    const { hostname, port } = new URL(sharedServers().postgresUrl)
    const proxy = await startFaultProxy({ host: hostname, port: Number(port || 5432) })
    const remote = await startTestNode({
      databaseUrl: proxy.through(database.url),
      environment: { CATCH_UP_TIMEOUT_MS: '100' },
    })
    close.push(
      () => proxy.restore(),
      () => remote.close(),
      () => proxy.close(),
    )
    const token = (await bodiless('GET')('', remote)).headers.get('stet-as-of')
    await proxy.cut()
    await eventually(async () => (await bodiless('GET')('', remote)).headers.get('x-cache') === 'STALE')
    // Whose account a token names is looked up in the database.
    for (const [way, ask] of WAYS.filter(([way]) => way !== 'GET, signed in')) {
      expect([way, (await ask(String(token), remote)).status]).toEqual([way, 200])
      expectRefusal(way, await ask('999999.abcdef', remote), 503, 'NOT_CAUGHT_UP')
    }
  })
})
