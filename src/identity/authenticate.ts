import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { AskerError } from '../kernel/errors.ts'
import { parseGlobalId, toGlobalId } from './global-id.ts'
import { type Viewer, visitor } from './viewer.ts'

/** How bearer tokens are verified: by a shared secret (HS256), or by published keys. */
export type TokenKeys =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'jwks'; readonly url: string }

/** Says who is asking. A token that isn't valid is refused, never taken for a visitor's. */
export class Authenticator {
  readonly #verify: (token: string) => Promise<JWTPayload>
  readonly #verified = new LRUCache<string, Known>({ max: 10_000 })

  constructor(keys: TokenKeys) {
    this.#verify = verifier(keys)
  }

  /** Who that is, where it needn't be verified again. */
  recall(authorization: string | undefined): Viewer | undefined {
    if (authorization === undefined || authorization === '') return visitor
    const known = this.#verified.get(authorization)
    return known && Date.now() < known.untilMs ? known.viewer : undefined
  }

  async authenticate(authorization: string | undefined): Promise<Viewer> {
    const known = this.recall(authorization)
    if (known || !authorization) return known ?? visitor
    const [, token] = /^Bearer +([^ ]+)$/i.exec(authorization) ?? []
    if (!token) throw refused('The Authorization header must be "Bearer", a space and a token.')
    const claims = await this.#verify(token).catch((cause: Error) => {
      if (isOurFault(cause)) throw cause
      throw refused(`The bearer token is not valid: ${cause.message}.`, cause)
    })
    const viewer = viewerOf(claims)
    const untilMs = Math.min(Date.now() + VERIFIED_FOR_MS, (claims.exp ?? 0) * 1000)
    this.#verified.set(authorization, { viewer, untilMs })
    return viewer
  }
}

interface Known {
  readonly viewer: Viewer
  readonly untilMs: number
}

/** A key may be withdrawn meanwhile. */
const VERIFIED_FOR_MS = 60_000

/** @param userId row id; may be undefined for an admin */
export function signToken(
  secret: string,
  {
    role,
    userId,
    expiresInSeconds,
  }: { readonly role: 'author' | 'admin'; readonly userId: number | undefined; readonly expiresInSeconds: number },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ role, ...(userId === undefined ? {} : { sub: toGlobalId('User', userId) }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt(now)
    .setExpirationTime(now + expiresInSeconds)
    .sign(new TextEncoder().encode(secret))
}

function verifier(keys: TokenKeys): (token: string) => Promise<JWTPayload> {
  const requiredClaims = ['exp', 'role']
  if (keys.kind === 'secret') {
    const secret = new TextEncoder().encode(keys.secret)
    return async (token) => (await jwtVerify(token, secret, { algorithms: ['HS256'], requiredClaims })).payload
  }
  const published: JWTVerifyGetKey = createRemoteJWKSet(new URL(keys.url))
  return async (token) => (await jwtVerify(token, published, { algorithms: ASYMMETRIC, requiredClaims })).payload
}

/** Without HS256: a published key must not serve as a shared secret. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** The published keys could not be read: that says nothing about the token. */
const isOurFault = (error: Error): boolean =>
  !(error instanceof errors.JOSEError) || UNREADABLE_KEYS.includes(error.code)

const UNREADABLE_KEYS: readonly string[] = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code]

function viewerOf({ sub, role }: JWTPayload): Viewer {
  const user = typeof sub === 'string' ? parseGlobalId(sub) : undefined
  const userId = user?.type === 'User' ? user.id : undefined
  if (role === 'admin') return { kind: 'admin', userId }
  if (role !== 'author') throw refused('The claim "role" of the bearer token must be "author" or "admin".')
  if (userId === undefined) throw refused('The claim "sub" of an author\'s bearer token must be the id of a User.')
  return { kind: 'author', userId }
}

const refused = (message: string, cause?: Error) => new AskerError('UNAUTHENTICATED', message, { cause, status: 401 })
