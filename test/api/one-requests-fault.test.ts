import { expect, it } from '@jest/globals'
import { queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, BOB } from './add-content.ts'

/** What one request does wrong, or in its own way, leaves the answers alone that others share. */
const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await node.catchUp()
const ann = await node.author(ANN)
const bob = await node.author(BOB)
const VIEWERS = { visitor: node.visitor, ann, bob, admin: node.admin }

/** A query that nobody asked before. A resolver looks at its viewer, which the schema doesn't tell. */
let asked = 0
const anew = () => `query ($n: Int, $slug: String = "published") {
  q${asked++}: article(slug: $slug) { title }
  tags(first: $n) { nodes { name } }
}`

type Spoil = (query: string) => Promise<unknown>
const url = (query: string, variables = '{"n":5}') => `${node.url}/graphql?${new URLSearchParams({ query, variables })}`
const post = (query: string, variables: unknown, headers: Record<string, string> = {}) =>
  fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  })

/** Each asks the same as others do, for a cold document, and gets something of its own. */
const SPOILS: Record<string, Spoil> = {
  'a foreign Content-Type on a GET': (query) => fetch(url(query), { headers: { 'content-type': 'text/plain' } }),
  'a multipart Content-Type on a GET': (query) =>
    fetch(url(query), { headers: { 'content-type': 'multipart/form-data; boundary=x' } }),
  'an Accept that nothing meets': (query) => fetch(url(query), { headers: { accept: 'image/png' } }),
  HEAD: (query) => fetch(url(query), { method: 'HEAD' }),
  'no-cache': (query) => fetch(url(query), { headers: { 'cache-control': 'no-cache' } }),
  'a wrong token': (query) => fetch(url(query), { headers: { authorization: 'Bearer x.y.z' } }),
  'a wrong position': (query) => fetch(url(query), { headers: { 'stet-as-of': '9999999.x' } }),
  'an extension that Apollo refuses': (query) =>
    fetch(`${url(query)}&extensions=${encodeURIComponent('{"persistedQuery":{"version":1,"sha256Hash":"x"}}')}`),
  'a number beyond all bounds': (query) => fetch(url(query, '{"n":1e999}')),
  'a number beyond all bounds, as null': async (query) => {
    await fetch(url(query, '{"n":1e999}'))
    await fetch(url(query, '{"n":-1e999}'))
  },
  'variables of another type': (query) => post(query, { n: 'five' }),
  'variables out of bounds': (query) => post(query, { n: -1 }),
  'variables for which nobody looks at the viewer': (query) => post(query, { n: 5, slug: 'nowhere' }),
  'a client that goes away': async (query) => {
    const gone = new AbortController()
    const answer = fetch(url(query), { signal: gone.signal }).catch(() => undefined)
    gone.abort()
    await answer
  },
}

it.each(Object.entries(SPOILS))('keeps what others ask for after %s', async (_what, spoil) => {
  for (const [name, client] of Object.entries(VIEWERS)) {
    const query = anew()
    const words: (string | null)[] = []
    for (let n = 0; n < 3; n++) {
      // Before each: a moment ago is not long enough to be over.
      await spoil(query)
      const { headers, errors } = await client.send(query, { n: 5 }, {}, 'GET')
      expect(errors).toEqual([])
      words.push(headers.get('cache-status'))
    }
    // The first may be made under a key that was guessed: by then this was asked with other variables only.
    expect([name, words.at(-1)]).toEqual([name, expect.stringContaining('; ttl=')])
  }
})

it('lets those who are signed in share an answer, whatever others ask of the same document', async () => {
  const query = 'query ($slug: String!) { shared: article(slug: $slug) { title } tags { totalCount } }'
  const looking = () => bob.send(query, { slug: 'published' }, {}, 'GET')
  const nobody = { slug: 'nowhere' }
  await ann.send(query, nobody, {}, 'GET')
  await queryOnce(database.url, `select stet.touch('tags')`)
  await node.catchUp()
  await looking()
  await ann.send(query, nobody, {}, 'GET')
  await looking()
  const { headers } = await bob.send(query, nobody, {}, 'GET')
  expect(headers.get('cache-status')).toMatch(/; ttl=/)
})
