import type { Ledger } from '../cache/index.ts'
import type { Follower } from '../invalidation/index.ts'
import { AskerError } from '../kernel/errors.ts'

/** `Stet-As-Of`: a log position and the epoch that it belongs to. Opaque to clients. */
export const formatToken = (position: number, epoch: string): string => `${position}.${epoch}`

/** Resolves once this node reflects everything that `token` does. Throws where the token isn't one, or the node can't catch up in time. */
export async function catchUp(token: string, follower: Follower, ledger: Ledger, withinMs: number): Promise<void> {
  const [, digits, epoch] = /^(\d{1,15})\.([0-9a-f]{1,32})$/.exec(token) ?? []
  if (digits === undefined) {
    throw new AskerError(
      'BAD_USER_INPUT',
      `Stet-As-Of must be a token that an answer carried, not ${JSON.stringify(token)}.`,
      { status: 400 },
    )
  }
  // A position of another epoch can't be waited for: its history may be gone. Nothing newer than the log's tip exists.
  if (epoch !== ledger.epoch) return follower.settle()
  const position = Number(digits)
  if (await follower.reach(position, withinMs)) return
  throw new AskerError(
    'NOT_CAUGHT_UP',
    `This node stands at ${ledger.seen} and could not reach ${position} in time: try again.`,
    { status: 503 },
  )
}
