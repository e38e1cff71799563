import pg from 'pg'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { inTime } from '../kernel/in-time.ts'
import {
  type IdentifiedClient,
  identify,
  isOther,
  type KnownIdentity,
  OTHER_HISTORY,
  type ServerIdentity,
  whyNoReplica,
} from './server-identity.ts'

export interface ReplicaWatchOptions {
  /** Makes a client that leads to the replica, not connected yet. */
  readonly connect: () => pg.Client
  /** Is asked who it is, to compare. */
  readonly primary: IdentifiedClient
  /** How long a server may say nothing, in milliseconds. */
  readonly silenceMs: number
  /** Called at every change. */
  readonly onState: (state: ReplicaState) => void
  /** Called if the replica doesn't answer, and does not say so: whatever waits for it waits in vain. */
  readonly onSilence: () => void
  readonly clock?: Clock
}

/**
 * What is known of a replica:
 *
 *   unknown   nothing yet, or a load from it has just failed: a probe is under way, or will be
 *   well      it answered the last probe, and no load has failed since
 *   away      it did not answer the last probe
 *   unfit     it answers, and is no replica of this primary. `why` may be shown to everyone
 */
export type ReplicaState =
  | { readonly is: 'unknown' }
  | { readonly is: 'well' }
  | { readonly is: 'away'; readonly error: Error }
  | { readonly is: 'unfit'; readonly why: string }

/**
 * Finds out how a replica is, by a probe in the background: when it starts, once a second from then on, and at once if there is
 * doubt. A probe asks the replica who it is, and the primary, and compares. A probe with a doubt behind it makes a new connection.
 *
 * If loads fail though every probe is answered, it waits before it trusts the replica again: twice as long each time, up to half a minute.
 */
export class ReplicaWatch {
  readonly #options: ReplicaWatchOptions
  readonly #clock: Clock
  #state: ReplicaState = { is: 'unknown' }
  #client: pg.Client | undefined
  #cancel = (): void => {}
  /** Counts probes. The last one decides. */
  #probes = 0
  /** How many times there was doubt since a load was last answered. */
  #doubts = 0
  /** What the last probe found, if that was a replica. */
  #accepted: KnownIdentity | undefined
  #primaryIsAsked = false
  #isStopped = false

  constructor(options: ReplicaWatchOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get state(): ReplicaState {
    return this.#state
  }

  start(): void {
    this.#probeIn(0)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
    this.#disconnect()
  }

  /** A load was answered. */
  trust(): void {
    this.#doubts = 0
  }

  /** A load failed, because of the replica and not of the load: it is not asked again until a probe was answered. */
  doubt(error: Error): void {
    if (this.#state.is !== 'well' || this.#isStopped) return
    this.#become({ is: 'unknown' })
    this.#leave(error)
    this.#doubts++
    this.#probeIn(this.#doubts === 1 ? 0 : Math.min(EVERY_MS * 2 ** (this.#doubts - 2), MAX_REST_MS))
  }

  /** Probes now, on a new connection. For when something happened that may mean nothing. */
  look(): void {
    if (this.#state.is !== 'well' || this.#isStopped) return
    this.#disconnect()
    this.#probeIn(0)
  }

  /** Rejects if `client` leads to another server than the probe, and that is no replica. */
  async examine(client: IdentifiedClient): Promise<void> {
    const why = this.#accepted && whyNoReplica(await identify(client), this.#accepted)
    if (why !== undefined) throw new UnfitReplicaError(why)
  }

  #probeIn(ms: number): void {
    this.#cancel()
    const probe = ++this.#probes
    this.#cancel = this.#clock.after(ms, async () => {
      const found = await this.#probe()
      // Meanwhile there was doubt: another probe will tell.
      if (probe !== this.#probes || this.#isStopped) return
      if (found.is === 'away') this.#leave(found.error)
      this.#become(found)
      this.#probeIn(EVERY_MS)
    })
  }

  /** Never rejects. */
  async #probe(): Promise<ReplicaState> {
    try {
      const replica = await this.#identify()
      const primary = await this.#askPrimary(replica.position)
      if (!primary && !this.#accepted) return { is: 'unknown' }
      // While the primary is away, another one may be about to take its place, on a later timeline.
      let why = whyNoReplica(replica, primary ?? { system: this.#accepted?.system })
      if (why === undefined && primary && replica.position > primary.position) {
        // It can be ahead by a commit that has not become visible yet. What both have must be the same.
        const { recordAt } = await this.#identify(primary.position)
        if (isOther(recordAt, primary.record)) why = OTHER_HISTORY
      }
      if (why !== undefined) {
        this.#accepted = undefined
        return { is: 'unfit', why }
      }
      const timeline = Math.max(replica.timeline ?? 0, primary?.timeline ?? 0) || undefined
      this.#accepted = { system: replica.system, timeline }
      return { is: 'well' }
    } catch (error) {
      return { is: 'away', error: error as Error }
    }
  }

  #identify(at?: number): Promise<ServerIdentity> {
    const { silenceMs } = this.#options
    return inTime(
      this.#connected().then((client) => identify(client, at)),
      silenceMs,
      () => {
        throw new Error(`The replica did not answer a probe within ${silenceMs} ms.`)
      },
    )
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const client = this.#options.connect()
    this.#client = client
    // If it breaks between two probes, the next one may find a replica that is well.
    client.on('error', () => {
      if (this.#client !== client) return
      this.#client = undefined
      this.look()
    })
    await client.connect()
    return client
  }

  #leave(error: Error): void {
    if (isSilence(error)) this.#options.onSilence()
    this.#disconnect()
  }

  #disconnect(): void {
    this.#client?.connection.stream.destroy()
    this.#client = undefined
  }

  /** Undefined if it doesn't answer now: a replica stays one while its primary is away. */
  async #askPrimary(at: number): Promise<ServerIdentity | undefined> {
    if (this.#primaryIsAsked) return undefined
    this.#primaryIsAsked = true
    const { primary, silenceMs } = this.#options
    const answer = identify(primary, at)
      .catch(() => undefined)
      .finally(() => {
        this.#primaryIsAsked = false
      })
    return inTime(answer, silenceMs, () => undefined)
  }

  #become(state: ReplicaState): void {
    const before = this.#state
    this.#state = state
    if (state.is !== before.is) this.#options.onState(state)
  }
}

/** No answer, rather than one that says no. */
const isSilence = (error: unknown): boolean =>
  !(error instanceof pg.DatabaseError || error instanceof UnfitReplicaError)

/** How often it is probed. */
const EVERY_MS = 1000

const MAX_REST_MS = 30_000

/** What a connection leads to is no replica of this primary. */
export class UnfitReplicaError extends Error {
  override readonly name = 'UnfitReplicaError'

  constructor(why: string) {
    super(`It is no replica of this primary: ${why}.`)
  }
}
