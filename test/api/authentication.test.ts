import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { GraphQLClient, startTestNode, TEST_JWT_SECRET, type TestNode } from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'
import { startKeyServer } from './start-key-server.ts'

const signing = generateKeyPairSync('rsa', { modulusLength: 2048 })
const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 })
const now = Math.floor(Date.now() / 1000)
const claims: JWTPayload = { sub: ids.ann, role: 'author', exp: now + 600 }

const jwk = { ...(await exportJWK(signing.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
const keyServer = use(await startKeyServer([jwk]), (it) => it.close())
const database = await useDatabase()
/** Verifies by a secret. */
const node = await useNode({ database })
await addContent(database.url)
/** Verifies by published keys. */
const other = use(await startNodeWithKeys(), (it) => it.close())

const bytes = (secret: string) => new TextEncoder().encode(secret)
const hs256 = (payload: JWTPayload, secret = TEST_JWT_SECRET, alg = 'HS256') =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(bytes(secret))
const rs256 = (payload: JWTPayload, key = signing.privateKey, kid = 'one') =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(key)

const adminOf = (sub: string): JWTPayload => ({ sub, role: 'admin', exp: now + 600 })

/** Sends a request with this Authorization header, as it is. */
const sendAs = (authorization: string, on = node) =>
  new GraphQLClient(on.url).send<{ viewer: { username: string } | null } | undefined>(
    '{ viewer { username } }',
    {},
    { authorization },
  )

it('knows the user and the role that a token names', async () => {
  const { data } = await sendAs(`Bearer ${await hs256(claims)}`)
  expect(data).toEqual({ viewer: { username: 'ann' } })
  expect((await sendAs(`bearer  ${await hs256(claims)}`)).data).toEqual({ viewer: { username: 'ann' } })
})

it('lets an admin in without a row, whose subject is no user or absent', async () => {
  for (const sub of [undefined, 'robot@example.com', 'auth0|5f7c8ec7c33c6c004bbafe82', ids.published]) {
    const admin = new GraphQLClient(node.url, await hs256({ role: 'admin', exp: now + 600, ...(sub && { sub }) }))
    expect(await admin.get('{ viewer { id } articles { totalCount } }')).toEqual({
      viewer: null,
      articles: { totalCount: 4 },
    })
  }
})

const REFUSED: [what: string, authorization: () => string | Promise<string>][] = [
  ['is no bearer token', () => 'Basic YW5uOnB3'],
  ['is empty', () => 'Bearer'],
  ['is garbage', () => 'Bearer garbage'],
  ['is two', async () => `Bearer ${await hs256(claims)} ${await hs256(claims)}`],
  ['is not signed (alg none)', () => `Bearer ${new UnsecuredJWT(claims).encode()}`],
  ['has lost its signature', async () => `Bearer ${(await hs256(claims)).replace(/[^.]+$/, '')}`],
  [
    'was changed',
    async () =>
      `Bearer ${(await hs256(claims)).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url')}.`)}`,
  ],
  ['is signed with another secret', async () => `Bearer ${await hs256(claims, 'another secret of some length')}`],
  ['is signed with another algorithm', async () => `Bearer ${await hs256(claims, TEST_JWT_SECRET.repeat(2), 'HS512')}`],
  ['is signed with a key pair', async () => `Bearer ${await rs256(claims)}`],
  ['has expired', async () => `Bearer ${await hs256({ ...claims, exp: now - 1 })}`],
  ['is not valid yet', async () => `Bearer ${await hs256({ ...claims, nbf: now + 600 })}`],
  ['never expires', async () => `Bearer ${await hs256({ sub: ids.ann, role: 'author' })}`],
  ['has no role', async () => `Bearer ${await hs256({ sub: ids.ann, exp: now + 600 })}`],
  ['has a role there is not', async () => `Bearer ${await hs256({ ...claims, role: 'ADMIN' })}`],
  ['has several roles', async () => `Bearer ${await hs256({ ...claims, role: ['author', 'admin'] })}`],
  ['is an author of no subject', async () => `Bearer ${await hs256({ role: 'author', exp: now + 600 })}`],
  ['is an author whose subject is a row id', async () => `Bearer ${await hs256({ ...claims, sub: '1' })}`],
  ['is an author whose subject is no user', async () => `Bearer ${await hs256({ ...claims, sub: ids.published })}`],
  [
    'is an author whose subject is a number',
    async () => `Bearer ${await hs256({ ...claims, sub: 1 as unknown as string })}`,
  ],
  ['is an author who is no user', async () => `Bearer ${await hs256({ ...claims, sub: toGlobalId('User', 99) })}`],
  ['is an admin who is no user', async () => `Bearer ${await hs256(adminOf(toGlobalId('User', 99)))}`],
  ['is an admin whose subject is a number', async () => `Bearer ${await hs256(adminOf(1 as unknown as string))}`],
  ['is an admin whose subject is padded', async () => `Bearer ${await hs256(adminOf(`${ids.ann}=`))}`],
  [
    'is an admin whose subject is almost a user',
    async () => `Bearer ${await hs256(adminOf(Buffer.from('User:01').toString('base64url')))}`,
  ],
]

it.each(REFUSED)(
  'refuses whoever sends a token that %s, and never takes them for a visitor',
  async (_what, authorization) => {
    const { status, data, errors, headers } = await sendAs(await authorization())
    expect(status).toBe(401)
    expect(data).toBeUndefined()
    expect(errors).toEqual([{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }])
    expect(headers.get('www-authenticate')).toBe('Bearer')
  },
)

it('verifies by published keys', async () => {
  expect((await sendAs(`Bearer ${await rs256(claims)}`, other)).data).toEqual({ viewer: { username: 'ann' } })
})

it('does not take a published key for a shared secret', async () => {
  const pem = signing.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = JSON.stringify(await exportJWK(signing.publicKey))
  const forged = await Promise.all(
    [pem, pem.trim(), jwk, TEST_JWT_SECRET].map((secret) => hs256({ role: 'admin', exp: now + 600 }, secret)),
  )
  for (const token of [
    ...forged,
    new UnsecuredJWT(claims).encode(),
    await rs256(claims, strangers.privateKey),
    await rs256(claims, signing.privateKey, 'two'),
  ]) {
    expect(await sendAs(`Bearer ${token}`, other)).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    })
  }
})

it('blames itself, not the token, where the published keys cannot be read', async () => {
  keyServer.isUp = false
  const fresh = await startNodeWithKeys()
  try {
    const { status, errors } = await sendAs(`Bearer ${await rs256(claims)}`, fresh)
    expect(status).toBe(500)
    expect(errors).toEqual([
      {
        message: expect.stringContaining('logged'),
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
      },
    ])
    keyServer.isUp = true
    await expect(sendAs(`Bearer ${await rs256(claims)}`, fresh)).resolves.toMatchObject({ status: 200 })
  } finally {
    keyServer.isUp = true
    await fresh.close()
  }
})

it.each(['0.0.0.0', '::', '[::]', 'example.com', '10.0.0.1', '127.0.0.1.example.com', '0', 'localhost.example'])(
  'refuses demo mode on HOST %s',
  async (HOST) => {
    const start = startTestNode({ databaseUrl: database.url, environment: { AUTH_JWT_SECRET: '', HOST } })
    await expect(start).rejects.toThrow(/^HOST is .*AUTH_JWT_SECRET or AUTH_JWKS_URL/)
  },
)

it('hands out tokens that work, in demo mode and nowhere else', async () => {
  expect(node.demoTokens).toBeUndefined()
  const demo = await startTestNode({
    databaseUrl: database.url,
    environment: { AUTH_JWT_SECRET: '', HOST: 'localhost' },
  })
  try {
    const author = new GraphQLClient(demo.url, demo.demoTokens?.author)
    expect(await author.get('{ viewer { username } }')).toEqual({ viewer: { username: 'ann' } })
    const admin = new GraphQLClient(demo.url, demo.demoTokens?.admin)
    expect(await admin.get('{ articles { totalCount } }')).toEqual({ articles: { totalCount: 4 } })
    expect(await sendAs(`Bearer ${demo.demoTokens?.admin}`)).toMatchObject({ status: 401 })
  } finally {
    await demo.close()
  }
})

function startNodeWithKeys(): Promise<TestNode> {
  return startTestNode({
    databaseUrl: database.url,
    environment: { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: keyServer.url, AUTH_AUDIENCE: '*' },
  })
}
