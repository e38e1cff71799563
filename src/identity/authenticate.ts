import { LRUCache } from 'lru-cache'
import { claimedViewer } from './claimed-viewer.ts'
import { refused } from './refused.ts'
import { areKeysUnreadable, type TokenKeys, type TokenRules, tokenVerifier, type Verified } from './verify-token.ts'
import { userIdOf, type Viewer, visitor } from './viewer.ts'

/** The rows of users by their ids, as the cache has them. */
export interface UserRows {
  get(id: number): Promise<UserRow | undefined>
  /** The row if memory holds it. Undefined if not: call `get`. */
  getIfPresent(id: number): { readonly value: UserRow | undefined } | undefined
}

interface UserRow {
  readonly role: 'AUTHOR' | 'ADMIN'
}

export interface AuthenticatorOptions {
  readonly keys: TokenKeys
  readonly rules?: TokenRules
  readonly users: UserRows
}

/**
 * Finds the viewer of a request from its `Authorization` header: `verify`, then `viewerOf`; or `recall`, if all is in memory.
 *
 * If the token's `sub` is a user's id, that user's row decides at each request. No row: the token is refused. The viewer is an
 * admin only if both token and row say so, and otherwise an author. Without such a `sub` an admin's token decides alone.
 *
 * HAZARD: a token that is not valid is refused, never treated as a visitor's.
 */
export class Authenticator {
  readonly #users: UserRows
  readonly #verify: (token: string) => Promise<Verified>
  readonly #verified = new LRUCache<string, Bearer>({ max: 10_000 })

  constructor({ keys, rules = {}, users }: AuthenticatorOptions) {
    this.#users = users
    this.#verify = tokenVerifier(keys, rules)
  }

  /**
   * The viewer, if the header is absent, or if its token was verified within the last minute and memory holds the user's row.
   * Undefined otherwise: call `verify`, then `viewerOf`. Throws UNAUTHENTICATED (401) if the user does not exist.
   */
  recall(authorization: string | undefined): Viewer | undefined {
    const bearer = this.#recallBearer(authorization)
    const userId = bearer && userIdOf(bearer.claimed)
    if (!bearer || userId === undefined) return bearer?.claimed
    const row = this.#users.getIfPresent(userId)
    return row && viewerBy(row.value, bearer.claimed, userId)
  }

  /**
   * Verifies the token in an `Authorization` header. HAZARD: only `viewerOf` knows what its bearer may do.
   *
   * @throws UNAUTHENTICATED (401) if the header or its token is not valid; the cause if the published keys cannot be read
   */
  async verify(authorization: string | undefined): Promise<Bearer> {
    const known = this.#recallBearer(authorization)
    if (known || !authorization) return known ?? NOBODY
    const [, token] = /^Bearer +([^ ]+)$/i.exec(authorization) ?? []
    if (!token) throw refused('The Authorization header must be "Bearer", a space and a token.')
    const { claims, untilMs } = await this.#verify(token).catch((cause: Error) => {
      if (areKeysUnreadable(cause)) throw cause
      throw refused(`The bearer token is not valid: ${cause.message}.`, cause)
    })
    const bearer = { claimed: claimedViewer(claims), untilMs: Math.min(Date.now() + VERIFIED_FOR_MS, untilMs) }
    this.#verified.set(authorization, bearer)
    return bearer
  }

  /**
   * The viewer that a bearer is now. To be called once this node reflects what the request must see: a row may have changed.
   *
   * @throws UNAUTHENTICATED (401) if the user does not exist; the cause if the row cannot be read
   */
  async viewerOf({ claimed }: Bearer): Promise<Viewer> {
    const userId = userIdOf(claimed)
    return userId === undefined ? claimed : viewerBy(await this.#users.get(userId), claimed, userId)
  }

  #recallBearer(authorization: string | undefined): Bearer | undefined {
    if (authorization === undefined || authorization === '') return NOBODY
    const known = this.#verified.get(authorization)
    return known && Date.now() < known.untilMs ? known : undefined
  }
}

/** Who a verified token says that its bearer is. */
export interface Bearer {
  readonly claimed: Viewer
  readonly untilMs: number
}

const NOBODY: Bearer = { claimed: visitor, untilMs: Number.POSITIVE_INFINITY }

/** Not longer, because the key that signed a token may be withdrawn. */
const VERIFIED_FOR_MS = 60_000

function viewerBy(row: UserRow | undefined, claimed: Viewer, userId: number): Viewer {
  if (!row) throw refused('The user that the bearer token names does not exist.')
  return claimed.kind === 'admin' && row.role !== 'ADMIN' ? { kind: 'author', userId } : claimed
}
