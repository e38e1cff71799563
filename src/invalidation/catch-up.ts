import type { Ledger } from '../cache/index.ts'
import { AskerError } from '../kernel/errors.ts'
import { inTime } from '../kernel/in-time.ts'
import { quote } from '../kernel/input.ts'
import { parseToken } from './as-of-token.ts'
import type { Follower } from './follower.ts'

/** Resolves with the token's position in the present history once this node reflects everything that `token` does. Throws where the token isn't one, or the node can't catch up in time. */
export async function catchUp(token: string, follower: Follower, ledger: Ledger, withinMs: number): Promise<number> {
  const place = parseToken(token)
  if (!place) {
    const message = `Stet-As-Of must be a token that an answer carried, not ${quote(token)}.`
    throw new AskerError('BAD_USER_INPUT', message, { status: 400 })
  }
  const { position, epoch } = place
  // A position of another epoch can't be waited for: its history may be gone. Nothing newer than the log's tip exists.
  const reached =
    epoch === ledger.epoch
      ? await follower.reach(position, withinMs)
      : await inTime(
          follower.settle().then(() => true),
          withinMs,
          () => false,
        ).catch(() => false)
  if (reached) return epoch === ledger.epoch ? position : ledger.seen
  const message = `This node stands at ${ledger.seen} and could not reach ${token} in time: try again.`
  throw new AskerError('NOT_CAUGHT_UP', message, { status: 503 })
}

/** The position of a token that this node has reached already; 0 without one. Undefined for whatever must be waited for, or refused. */
export function positionAtHand(token: string | readonly string[] | undefined, ledger: Ledger): number | undefined {
  if (token === undefined || token === '') return 0
  const place = typeof token === 'string' ? parseToken(token) : undefined
  return place && place.epoch === ledger.epoch && place.position <= ledger.seen ? place.position : undefined
}
