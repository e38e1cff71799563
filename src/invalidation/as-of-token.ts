import type { Ledger, LogPlace } from '../cache/index.ts'
import { inTime } from '../kernel/in-time.ts'
import type { Follower } from './follower.ts'

/**
 * Waits until this process reflects everything that `token` reflects. Resolves with the token's position in the present
 * history of the log: pass it to a read as `position`, and the read sees every write that the bearer of the token has seen.
 *
 * @throws InvalidTokenError if `token` is not one that `formatToken` makes
 * @throws NotCaughtUpError if this process does not get there within `withinMs`. Another process may have got there.
 *
 * @example
 * const position = await catchUp(request.headers['stet-as-of'], follower, ledger, 1000)
 * const city = await cities.get(1, { position })
 */
export async function catchUp(token: string, follower: Follower, ledger: Ledger, withinMs: number): Promise<number> {
  const place = parseToken(token)
  if (!place) throw new InvalidTokenError(token)
  const { position, epoch } = place
  // HAZARD: a position of another epoch can't be waited for, because its history may be gone. What can be had is the log's tip.
  const atTip = () =>
    follower.settle().then(
      () => true,
      () => false,
    )
  const reached =
    epoch === ledger.epoch ? await follower.reach(position, withinMs) : await inTime(atTip(), withinMs, () => false)
  if (!reached) throw new NotCaughtUpError(token, ledger.seen)
  return epoch === ledger.epoch ? position : ledger.seen
}

/**
 * The position of a token that this process reflects already, or 0 if there is no token. Undefined if `catchUp` must wait for it,
 * or refuse it.
 * @example const position = positionIfReached(token, ledger) ?? (await catchUp(token, follower, ledger, 1000))
 */
export function positionIfReached(token: string | readonly string[] | undefined, ledger: Ledger): number | undefined {
  if (token === undefined || token === '') return 0
  const place = typeof token === 'string' ? parseToken(token) : undefined
  return place && place.epoch === ledger.epoch && place.position <= ledger.seen ? place.position : undefined
}

/**
 * A place in the log as a text, which a client sends back to see at least what it has seen. It is opaque to the client.
 *
 * @example
 * await follower.settle()
 * response.setHeader('stet-as-of', formatToken(ledger.seen, ledger.epoch))
 */
export const formatToken = (position: number, epoch: string): string => `${position}.${epoch}`

/** Undefined if `token` is none. */
function parseToken(token: string): LogPlace | undefined {
  const [, position, epoch] = /^(\d{1,15})\.([0-9a-f]{1,32})$/.exec(token) ?? []
  return epoch === undefined ? undefined : { position: Number(position), epoch }
}

/**
 * The text is not one that `formatToken` makes.
 * @example if (error instanceof InvalidTokenError) response.statusCode = 400
 */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError'
  readonly token: string

  constructor(token: string) {
    super('This is not a token that an answer carried.')
    this.token = token
  }
}

/**
 * This process did not reach the token's position in time. Try again, or ask another process.
 * @example if (error instanceof NotCaughtUpError) response.statusCode = 503
 */
export class NotCaughtUpError extends Error {
  override readonly name = 'NotCaughtUpError'
  readonly token: string
  /** The position that this process has reached. */
  readonly position: number

  constructor(token: string, position: number) {
    super(`This node stands at ${position} and could not reach ${token} in time: try again.`)
    this.token = token
    this.position = position
  }
}
