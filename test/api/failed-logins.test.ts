import { createHmac } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { readMetric, TEST_JWT_SECRET, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'

const database = await useDatabase()
const environment = { AUTH_MAX_FAILURES: '5', TRUST_PROXY: 'loopback' }
const start = (more: NodeJS.ProcessEnv = {}) => useNode({ database, environment: { ...environment, ...more } })
const node = await start()
await addContent(database.url)

async function ask(authorization: string | undefined, from: string, on: TestNode = node) {
  const response = await fetch(`${on.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from, ...(authorization && { authorization }) },
    body: JSON.stringify({ query: '{ __typename }' }),
  })
  const { errors } = (await response.json()) as { errors?: { message: string; extensions: object }[] }
  return { status: response.status, errors, retryAfter: response.headers.get('retry-after') }
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Looks like a token, and is signed by a guess. */
function forged(guess: number): string {
  const body = `${part({ alg: 'HS256' })}.${part({ role: 'admin', exp: Math.floor(Date.now() / 1000) + 600 })}`
  return `Bearer ${body}.${createHmac('sha256', `guess ${guess}`).update(body).digest('base64url')}`
}

const expired = (() => {
  const body = `${part({ alg: 'HS256' })}.${part({ role: 'admin', exp: 1 })}`
  return `Bearer ${body}.${createHmac('sha256', TEST_JWT_SECRET).update(body).digest('base64url')}`
})()

it.each<[what: string, from: string, header: (n: number) => string]>([
  ['forged tokens', '192.0.2.1', forged],
  ['the same forged token', '192.0.2.2', () => forged(0)],
  ['garbage', '192.0.2.3', (n) => `Bearer ${n}`],
  ['other headers', '192.0.2.4', (n) => `Basic ${n}`],
  ['an expired token', '192.0.2.5', () => expired],
  ['long ones', '192.0.2.6', (n) => `Bearer ${'x'.repeat(9000)}${n}`],
])('tells an address that sends too many to wait: %s', async (_what, from, header) => {
  const answers = []
  for (let n = 0; n < 8; n++) answers.push(await ask(header(n), from))
  expect(answers.map(({ status }) => status)).toEqual([...Array(5).fill(401), ...Array(3).fill(429)])
  const [last] = answers.slice(-1)
  expect(last?.errors).toEqual([{ message: expect.stringMatching(/ \d+ s\.$/), extensions: { code: 'RATE_LIMITED' } }])
  expect(Number(last?.retryAfter)).toBeGreaterThan(0)
  expect(Number(last?.retryAfter)).toBeLessThanOrEqual(60)
})

it('counts the tokens that it refuses, by their answers', async () => {
  const fresh = await start()
  for (let n = 0; n < 7; n++) await ask(forged(n), '192.0.2.1', fresh)
  await ask(`Bearer ${await testToken('author', ANN)}`, '192.0.2.2', fresh)
  const refused = (code: string) => readMetric(fresh.url, 'stet_tokens_refused_total', { code })
  expect(await Promise.all(['UNAUTHENTICATED', 'RATE_LIMITED'].map(refused))).toEqual([5, 2])
})

it('counts an address by itself, a network of IPv6 together, and what is no address as the proxy', async () => {
  const statuses = async (from: (n: number) => string) => {
    const fresh = await start()
    const found: number[] = []
    for (let n = 1; n <= 6; n++) found.push((await ask(forged(n), from(n), fresh)).status)
    return found
  }
  const LIMITED = [...Array(5).fill(401), 429]
  expect(await statuses((n) => `203.0.113.${n}`)).toEqual(Array(6).fill(401))
  expect(await statuses((n) => `2001:db8:${n}::1`)).toEqual(Array(6).fill(401))
  expect(await statuses((n) => `2001:db8:0:1:${n}::1`)).toEqual(LIMITED)
  expect(await statuses((n) => `x${n}`)).toEqual(LIMITED)
})

it('refuses nobody else by that: neither visitors nor whoever has a valid token, also at the same address', async () => {
  const from = '192.0.2.50'
  const known = `Bearer ${await testToken('admin')}`
  expect(await ask(known, from)).toMatchObject({ status: 200 })
  for (let n = 0; n < 8; n++) await ask(forged(n), from)
  expect(await ask(forged(9), from)).toMatchObject({ status: 429 })
  for (const header of [undefined, known, `Bearer ${await testToken('author', ANN)}`]) {
    expect(await ask(header, from)).toMatchObject({ status: 200 })
  }
})

it('counts anew once the window is over', async () => {
  const brief = await start({ RATE_LIMIT_WINDOW_SECONDS: '1', AUTH_MAX_FAILURES: '1' })
  expect((await ask(forged(1), '192.0.2.60', brief)).status).toBe(401)
  for (let status = 429; status === 429; ) ({ status } = await ask(forged(2), '192.0.2.60', brief))
  expect((await ask(forged(3), '192.0.2.60', brief)).status).toBe(429)
})

it('says of a token whose time has not come that it is too early, and takes it once it has', async () => {
  const nbf = Math.floor(Date.now() / 1000) + 2
  const body = `${part({ alg: 'HS256' })}.${part({ role: 'admin', nbf, exp: nbf + 600 })}`
  const token = `Bearer ${body}.${createHmac('sha256', TEST_JWT_SECRET).update(body).digest('base64url')}`
  const patient = await start({ AUTH_MAX_FAILURES: '100000' })
  expect((await ask(token, '192.0.2.70', patient)).status).toBe(401)
  for (let status = 401; status === 401; ) ({ status } = await ask(token, '192.0.2.70', patient))
  expect((await ask(token, '192.0.2.70', patient)).status).toBe(200)
})
