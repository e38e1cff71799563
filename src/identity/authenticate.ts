import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { ClientError } from '../kernel/errors.ts'
import { parseGlobalId, toGlobalId } from './global-id.ts'
import { type Viewer, visitor } from './viewer.ts'

/** The keys that verify bearer tokens: a shared secret (HS256), or the keys published at a URL. */
export type TokenKeys =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'jwks'; readonly url: string }

/**
 * Finds the viewer of a request from its `Authorization` header. A verified token is remembered for up to a minute, never
 * beyond its expiry. HAZARD: a token that is not valid is refused, never treated as a visitor's.
 */
export class Authenticator {
  readonly #verify: (token: string) => Promise<JWTPayload>
  readonly #verified = new LRUCache<string, Known>({ max: 10_000 })

  constructor(keys: TokenKeys) {
    this.#verify = verifier(keys)
  }

  /** The viewer if the header is absent or its token was verified within the last minute. Otherwise undefined: call `authenticate`. */
  recall(authorization: string | undefined): Viewer | undefined {
    if (authorization === undefined || authorization === '') return visitor
    const known = this.#verified.get(authorization)
    return known && Date.now() < known.untilMs ? known.viewer : undefined
  }

  /**
   * The viewer of a request with this `Authorization` header.
   *
   * @throws UNAUTHENTICATED (401) if the header or its token is not valid; the cause if the published keys cannot be read
   */
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

/** Not longer, because the key that signed a token may be withdrawn. */
const VERIFIED_FOR_MS = 60_000

/** Signs a token for `Authenticator`. An author needs a `userId` (a row id); an admin does not. */
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

/** HAZARD: HS256 must not be among them. With it, a published key would serve as a shared secret that everybody knows. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** True if the published keys could not be read, which says nothing about the token. */
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

const refused = (message: string, cause?: Error) => new ClientError('UNAUTHENTICATED', message, { cause, status: 401 })
