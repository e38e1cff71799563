import type { JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import { ClientError } from '../kernel/errors.ts'
import { parseGlobalId } from './global-id.ts'
import { areKeysUnreadable, type TokenKeys, type TokenRules, tokenVerifier, type Verified } from './verify-token.ts'
import { type Viewer, visitor } from './viewer.ts'

/**
 * Finds the viewer of a request from its `Authorization` header. A verified token is remembered for up to a minute, never
 * beyond its expiry. HAZARD: a token that is not valid is refused, never treated as a visitor's.
 */
export class Authenticator {
  readonly #verify: (token: string) => Promise<Verified>
  readonly #verified = new LRUCache<string, Known>({ max: 10_000 })

  constructor(keys: TokenKeys, rules: TokenRules = {}) {
    this.#verify = tokenVerifier(keys, rules)
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
    const { claims, untilMs } = await this.#verify(token).catch((cause: Error) => {
      if (areKeysUnreadable(cause)) throw cause
      throw refused(`The bearer token is not valid: ${cause.message}.`, cause)
    })
    const viewer = viewerOf(claims)
    this.#verified.set(authorization, { viewer, untilMs: Math.min(Date.now() + VERIFIED_FOR_MS, untilMs) })
    return viewer
  }
}

interface Known {
  readonly viewer: Viewer
  readonly untilMs: number
}

/** Not longer, because the key that signed a token may be withdrawn. */
const VERIFIED_FOR_MS = 60_000

function viewerOf({ sub, role }: JWTPayload): Viewer {
  const user = typeof sub === 'string' ? parseGlobalId(sub) : undefined
  const userId = user?.type === 'User' ? user.id : undefined
  if (role === 'admin') return { kind: 'admin', userId }
  if (role !== 'author') throw refused('The claim "role" of the bearer token must be "author" or "admin".')
  if (userId === undefined) throw refused('The claim "sub" of an author\'s bearer token must be the id of a User.')
  return { kind: 'author', userId }
}

const refused = (message: string, cause?: Error) => new ClientError('UNAUTHENTICATED', message, { cause, status: 401 })
