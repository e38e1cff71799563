import { expect, it } from '@jest/globals'
import { queryOnce, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database, environment: { TRUST_PROXY: 'loopback' } })
await addContent(database.url)

let documents = 0
/** No two documents are alike: each is parsed, validated, planned and executed. */
const dear = () =>
  `query Q${documents++} { ${Array.from({ length: 20 }, (_, n) => `a${n}: articles(first: ${n + 1}) { nodes { title author { displayName } tags { name } } }`).join(' ')} }`

const ask = (query: string, address: string) =>
  fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify({ query }),
  }).then((answer) => answer.json())

// Connections are open, and code is compiled, before anything is counted: a flood then arrives at once.
await Promise.all(Array.from({ length: 61 }, () => ask(dear(), '192.0.2.9')))

it.each([
  ['a client', ['192.0.2.1']],
  ['a network', ['2001:db8::1', '2001:db8::2', '2001:db8::ffff']],
  ['a few clients', ['192.0.2.1', '192.0.2.2', '192.0.2.3']],
])('answers another client while %s floods it', async (_what, addresses) => {
  let answered = 0
  const flood = Array.from({ length: 60 }, async (_, n) => {
    const answer = await ask(dear(), addresses[n % addresses.length] ?? '')
    answered++
    return answer
  })
  // Some are under way, and most wait.
  await flood[0]
  const before = answered
  await ask(dear(), '198.51.100.7')
  expect(answered - before).toBeLessThan(30)
  const all = await Promise.all(flood)
  expect(all.every((answer) => (answer as { data?: object }).data)).toBe(true)
})

it('answers what is kept while it is flooded', async () => {
  const kept = '{ articles { nodes { title } } }'
  for (let time = 0; time < 3; time++) await ask(kept, '198.51.100.7')
  let answered = 0
  const flood = Array.from({ length: 60 }, () => ask(dear(), '192.0.2.1').then(() => answered++))
  await flood[0]
  const before = answered
  await ask(kept, '198.51.100.7')
  expect(answered - before).toBeLessThan(30)
  await Promise.all(flood)
})

it('answers what is kept while long answers are written whose loads ended in the same moment', async () => {
  await queryOnce(database.url, `update articles set body = repeat('Lorem ipsum ', 30000) where id = 1`)
  const kept = '{ tags { name } }'
  for (let time = 0; time < 3; time++) await ask(kept, '198.51.100.7')
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${await testToken('admin')}`,
    'cache-control': 'no-cache',
  }
  let answered = 0
  const flood = Array.from({ length: 16 }, async (_, n) => {
    const query = `query Long${n} { article(id: "${ids.published}") { ${Array.from({ length: 11 }, (_, at) => `a${at}: body`).join(' ')} } }`
    const body = JSON.stringify({ query })
    const answer = await fetch(`${node.url}/graphql`, { method: 'POST', headers, body })
    const length = (await answer.arrayBuffer()).byteLength
    answered++
    return length
  })
  await Promise.race(flood)
  await ask(kept, '198.51.100.7')
  expect(answered).toBeLessThan(8)
  for (const length of await Promise.all(flood)) expect(length).toBeGreaterThan(3_900_000)
})
