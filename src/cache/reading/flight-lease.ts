import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import type { LeaseRequest, RemoteTier } from '../remote/remote-tier.ts'

/**
 * How far a flight is with the lease on its key:
 *
 *   asking  it asks for the lease with its next read of the remote tier, and waits for another holder until `untilMs`
 *   held    it has the lease, and must give it back
 *   none    it does without: there is no remote tier, the tier failed, or the flight has waited long enough
 */
export type FlightLease =
  | {
      readonly kind: 'asking'
      readonly holder: string
      readonly evenIfFound: boolean
      readonly from?: string
      readonly untilMs: number
    }
  | { readonly kind: 'held'; readonly holder: string }
  | { readonly kind: 'none' }

/** A holder that no process can guess, and from which others read when the load began. */
export const formatHolder = ({ epoch, position }: LogPlace): string => `${randomUUID()} ${position} ${epoch}`

/** When the load of a lease's holder began. Undefined if the holder is not of this format. */
export function parseHolder(holder: string): LogPlace | undefined {
  const [, position, epoch] = holder.split(' ')
  return epoch === undefined ? undefined : { epoch, position: Number(position) }
}

/** What goes with a read of the remote tier. */
export function leaseRequest(lease: FlightLease, ms: number): { readonly lease?: LeaseRequest } {
  if (lease.kind !== 'asking') return {}
  const { holder, evenIfFound, from } = lease
  return { lease: { holder, ms, evenIfFound, ...(from !== undefined && { from }) } }
}

/** Hears when another holder gives the lease on a key back. */
export interface ReleaseEar {
  /** Goes on when the lease is given back, at once if it was already, or after `ms`. */
  wait(ms: number): void
  stop(): void
}

/** Listens from now on, so that no message is missed between the read and the wait. Calls `goOn` at most once, and only after `wait`. */
export function listenForRelease(key: string, remote: RemoteTier, clock: Clock, goOn: () => void): ReleaseEar {
  let isWaiting = false
  let isReleased = false
  let cancel = () => {}
  const proceed = () => {
    isReleased = true
    if (!isWaiting) return
    isWaiting = false
    stop()
    goOn()
  }
  const deafen = remote.onRelease(key, proceed)
  const stop = () => {
    deafen()
    cancel()
  }
  return {
    wait: (ms) => {
      isWaiting = true
      if (isReleased) proceed()
      else cancel = clock.after(ms, proceed)
    },
    stop,
  }
}
