import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { CompactSign, exportJWK, type JWTPayload, SignJWT } from 'jose'
import { readConfig } from '../../src/app/config.ts'
import { tokenKeys, tokenSigner } from '../../src/app/token-keys.ts'
import { startTestNode, TEST_JWT_SECRET, type TestNode } from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { startKeyServer } from './start-key-server.ts'

const OURS = 'https://stet.example'
const ISSUER = 'https://login.example'

const signing = generateKeyPairSync('rsa', { modulusLength: 2048 })
const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 })
const shared = { kty: 'oct', kid: 'shared', use: 'sig', k: Buffer.from(TEST_JWT_SECRET).toString('base64url') }
const jwk = { ...(await exportJWK(signing.publicKey)), kid: 'one', use: 'sig' }
const keyServer = use(await startKeyServer([jwk, shared]), (it) => it.close())
const database = await useDatabase()

const published = { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: keyServer.url }
/** Takes tokens for it, by keys that sign for other applications too. */
const node = await useNode({
  database,
  environment: { ...published, AUTH_AUDIENCE: `${OURS}, stet`, AUTH_ISSUER: ISSUER, AUTH_CLOCK_TOLERANCE: '30' },
})

const now = () => Math.floor(Date.now() / 1000)
const claims = (more: JWTPayload = {}): JWTPayload => ({
  role: 'admin',
  aud: OURS,
  iss: ISSUER,
  iat: now(),
  exp: now() + 600,
  ...more,
})
const bytes = (text: string) => new TextEncoder().encode(text)
const rs256 = (payload: JWTPayload, header: object = {}, key = signing.privateKey) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key)
const hs256 = (payload: JWTPayload, header: object = {}, secret = TEST_JWT_SECRET) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(bytes(secret))

/** The status that a token is answered with, and the code of the first error. */
async function ask(token: string, on: TestNode = node): Promise<[status: number, code?: string]> {
  const response = await fetch(`${on.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ articles(filter: { status: DRAFT }) { totalCount } }' }),
  })
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] }
  return errors?.[0] ? [response.status, errors[0].extensions.code] : [response.status]
}

const TAKEN = [200]
const REFUSED = [401, 'UNAUTHENTICATED']

it.each<[what: string, more: JWTPayload, expected: unknown]>([
  ['for this API', {}, TAKEN],
  ['for this API by its other name', { aud: 'stet' }, TAKEN],
  ['for this API and others', { aud: ['https://shop.example', OURS] }, TAKEN],
  ['for another application, signed by the same keys', { aud: 'https://shop.example' }, REFUSED],
  ['for several other applications', { aud: ['https://shop.example', 'https://blog.example'] }, REFUSED],
  ['for an application whose name begins like ours', { aud: `${OURS}.evil.example` }, REFUSED],
  ['for nobody', { aud: undefined }, REFUSED],
  ['for an empty list', { aud: [] }, REFUSED],
  ['from another issuer', { iss: 'https://other.example' }, REFUSED],
  ['from no issuer', { iss: undefined }, REFUSED],
  ['expired within the tolerance', { exp: now() - 5 }, TAKEN],
  ['expired before it', { exp: now() - 60 }, REFUSED],
  ['valid from a moment within the tolerance', { nbf: now() + 10 }, TAKEN],
  ['valid from later on', { nbf: now() + 120 }, REFUSED],
])('takes a token by whom it is for, from and when: %s', async (_what, more, expected) => {
  expect(await ask(await rs256(claims(more)))).toEqual(expected)
})

it.each<[what: string, token: () => Promise<string>]>([
  ['HS256 with a symmetric key among the published ones', () => hs256(claims(), { kid: 'shared' })],
  ['HS256 with the public key as its secret', () => hs256(claims(), { kid: 'one' }, jwk.n)],
  [
    'a key that the token itself brings',
    async () => rs256(claims(), { jwk: await exportJWK(strangers.publicKey) }, strangers.privateKey),
  ],
  [
    'a URL of keys that the token itself names',
    () => rs256(claims(), { jku: 'http://127.0.0.1:1/keys.json', kid: 'theirs' }, strangers.privateKey),
  ],
  ['a token that logs out', () => rs256(claims(), { typ: 'logout+jwt' })],
  ['a proof that a key is held', () => rs256(claims(), { typ: 'dpop+jwt' })],
  [
    'an extension that must be understood',
    () =>
      new CompactSign(bytes(JSON.stringify(claims())))
        .setProtectedHeader({ alg: 'RS256', kid: 'one', crit: ['exp'], exp: now() + 600 })
        .sign(signing.privateKey, { crit: { exp: true } }),
  ],
])('pins what a token is and what signs it: refuses %s', async (_what, token) => {
  expect(await ask(await token())).toEqual(REFUSED)
})

it.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt'])('takes an access token of the type %s', async (typ) => {
  expect(await ask(await rs256(claims(), { typ }))).toEqual(TAKEN)
})

it('refuses published keys without an audience at start, unless it is told that any will do', async () => {
  const start = (AUTH_AUDIENCE: string) =>
    startTestNode({ databaseUrl: database.url, environment: { ...published, AUTH_AUDIENCE } })
  await expect(start('')).rejects.toThrow(/^AUTH_AUDIENCE must be set beside AUTH_JWKS_URL/)
  await expect(start('stet,*')).rejects.toThrow(/^AUTH_AUDIENCE must be /)
  const open = await start('*')
  try {
    expect(await ask(await rs256(claims({ aud: 'https://shop.example' })), open)).toEqual(TAKEN)
    expect(await ask(await rs256(claims({ aud: undefined })), open)).toEqual(TAKEN)
  } finally {
    await open.close()
  }
})

it('takes no token for somebody else where it has no name of its own', async () => {
  const nameless = await useNode({ database })
  expect(await ask(await hs256(claims({ aud: undefined })), nameless)).toEqual(TAKEN)
  expect(await ask(await hs256(claims()), nameless)).toEqual(REFUSED)
})

it('takes a token for as long as AUTH_MAX_TOKEN_AGE after it was issued', async () => {
  const strict = await useNode({ database, environment: { AUTH_MAX_TOKEN_AGE: '60', AUTH_AUDIENCE: '*' } })
  const year = { exp: now() + 365 * 86_400 }
  expect(await ask(await hs256(claims({ ...year })), strict)).toEqual(TAKEN)
  expect(await ask(await hs256(claims({ ...year, iat: now() - 61 })), strict)).toEqual(REFUSED)
  expect(await ask(await hs256(claims({ ...year, iat: undefined })), strict)).toEqual(REFUSED)
  expect(await ask(await hs256(claims({ ...year, iat: now() + 600 })), strict)).toEqual(REFUSED)
  // What was verified is not remembered for longer either.
  const lastSecond = await hs256(claims({ ...year, iat: now() - 59 }))
  expect(await ask(lastSecond, strict)).toEqual(TAKEN)
  for (let answer: unknown = TAKEN; answer !== 401; ) [answer] = await ask(lastSecond, strict)
})

it('signs tokens that it takes', async () => {
  const environment = { AUTH_AUDIENCE: `${OURS},stet`, AUTH_ISSUER: ISSUER, AUTH_MAX_TOKEN_AGE: '3600' }
  const own = await useNode({ database, environment })
  const config = readConfig({ AUTH_JWT_SECRET: TEST_JWT_SECRET, ...environment })
  const token = await tokenSigner(
    config,
    tokenKeys(config),
  )({ role: 'admin', userId: undefined, expiresInSeconds: 86_400 })
  expect(await ask(token, own)).toEqual(TAKEN)
  const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  expect(exp - iat).toBe(3600)
})

it('sends the credentials of AUTH_JWKS_URL to where the keys are, and tells nobody', async () => {
  const url = keyServer.url.replace('//', '//keys:hunter2@')
  const signedIn = await useNode({
    database,
    environment: { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: url, AUTH_AUDIENCE: OURS },
  })
  expect(await ask(await rs256(claims()), signedIn)).toEqual(TAKEN)
  expect(keyServer.asked.at(-1)).toBe(`Basic ${Buffer.from('keys:hunter2').toString('base64')}`)
})
