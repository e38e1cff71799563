import { LRUCache } from 'lru-cache'
import { ClientError } from '../kernel/errors.ts'
import { claimedViewer } from './claimed-viewer.ts'
import { FailedLogins, type FailedLoginsOptions } from './failed-logins.ts'
import { refused } from './refused.ts'
import {
  areKeysUnreadable,
  isFinal,
  type TokenKeys,
  type TokenRules,
  tokenVerifier,
  type Verified,
} from './verify-token.ts'
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
  /** How many bad tokens one address may send. Beyond that it is told to wait: a token that is valid is taken all the same. */
  readonly failures: FailedLoginsOptions
  /** Called for each token that was refused, with the code of the error. */
  readonly onRefused?: (code: string) => void
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
  readonly #rules: TokenRules
  readonly #failures: FailedLogins
  readonly #onRefused: AuthenticatorOptions['onRefused']
  /** By the whole header: neither kind may take more than some megabytes, whatever is sent. */
  readonly #verified = new LRUCache<string, Bearer>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_, { length }) => length,
  })
  /** Bad tokens that can't turn good, so that one who sends the same again and again makes little work. */
  readonly #refused = new LRUCache<string, ClientError>({ max: 1000, ttl: REFUSED_FOR_MS })
  #verify: (token: string) => Promise<Verified>

  constructor({ keys, rules = {}, users, failures, onRefused }: AuthenticatorOptions) {
    this.#users = users
    this.#rules = rules
    this.#failures = new FailedLogins(failures)
    this.#onRefused = onRefused
    this.#verify = tokenVerifier(keys, rules)
  }

  /** From now on these keys verify tokens. A token that another one signed is refused from the next request on. */
  replaceKeys(keys: TokenKeys): void {
    this.#verify = tokenVerifier(keys, this.#rules)
    this.#verified.clear()
    this.#refused.clear()
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
   * @param address of the client: its bad tokens are counted
   * @throws UNAUTHENTICATED (401) if the header or its token is not valid; RATE_LIMITED (429) instead if the address has sent
   *   too many of them; the cause if the published keys cannot be read
   */
  async verify(authorization: string | undefined, address: string): Promise<Bearer> {
    const known = this.#recallBearer(authorization)
    if (known || !authorization) return known ?? NOBODY
    try {
      const bearer = await this.#verifyHeader(authorization)
      this.#verified.set(authorization, bearer)
      return bearer
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      const refusal = this.#failures.count(address) ?? error
      this.#onRefused?.(refusal.code)
      throw refusal
    }
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

  async #verifyHeader(authorization: string): Promise<Bearer> {
    const remembered = this.#refused.get(authorization)
    if (remembered) throw remembered
    if (authorization.length > MAX_HEADER) throw refused('The Authorization header is too long.')
    const [, token] = /^Bearer +([^ ]+)$/i.exec(authorization) ?? []
    if (!token) throw refused('The Authorization header must be "Bearer", a space and a token.')
    const verify = this.#verify
    const verified = await verify(token).catch((error: Error) => error)
    // The keys were replaced meanwhile.
    if (verify !== this.#verify) return this.#verifyHeader(authorization)
    if (verified instanceof Error) throw this.#whyRefused(authorization, verified)
    const { claims, untilMs } = verified
    return { claimed: claimedViewer(claims), untilMs: Math.min(Date.now() + VERIFIED_FOR_MS, untilMs) }
  }

  #whyRefused(authorization: string, cause: Error): Error {
    if (areKeysUnreadable(cause)) return cause
    const refusal = refused(`The bearer token is not valid: ${cause.message}.`, cause)
    if (isFinal(cause)) this.#refused.set(authorization, refusal)
    return refusal
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

/** Not longer, because another key may be published under the same name. */
const REFUSED_FOR_MS = 10_000

/** In characters of their headers. */
const MAX_REMEMBERED = 8 * 1024 * 1024

/** In characters. Tokens that list the groups of their users have some thousands. */
const MAX_HEADER = 8192

function viewerBy(row: UserRow | undefined, claimed: Viewer, userId: number): Viewer {
  if (!row) throw refused('The user that the bearer token names does not exist.')
  return claimed.kind === 'admin' && row.role !== 'ADMIN' ? { kind: 'author', userId } : claimed
}
