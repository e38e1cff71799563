import type { SqlClient } from './log.ts'
import { findTriggersOff, type TriggerOff } from './triggers.ts'

/**
 * Looks now and then at whether the triggers are on that the log needs. Each look is one query of the catalogue.
 *
 * While some are off, nobody can know what is written to their tables. So everything of these tables falls at each look, and is
 * wrong for no longer than from one look to the next. It falls once more when they are found on again.
 * @example
 * const triggers = new TriggerWatch({ primary: pool, observer: { onChange: (off) => console.error('Triggers are off', off) } })
 * await triggers.start()
 * await triggers.stop()
 */
export class TriggerWatch {
  /** Whether writes may be missing from the log, so that what is cached may be wrong. Each look sets it anew. */
  missesWrites = false
  readonly #primary: SqlClient
  readonly #everyMs: number
  readonly #observer: TriggerWatchObserver
  #off: readonly TriggerOff[] = []
  /** What may have been read wrongly since it last fell. */
  #gap: ReadonlySet<string> = new Set()
  #hasLooked = false
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor({ primary, everyMs = 5000, observer = {} }: TriggerWatchOptions) {
    this.#primary = primary
    this.#everyMs = everyMs
    this.#observer = observer
  }

  /** The triggers that were off at the last look. */
  get off(): readonly TriggerOff[] {
    return this.#off
  }

  /** For a readiness check. Resolves if all were on at the last look that succeeded, and rejects otherwise. Asks nobody. */
  async check(): Promise<void> {
    if (!this.#hasLooked) throw new Error('No look at the triggers has succeeded yet.')
    if (this.#off.length > 0) throw new Error(`Triggers are off: ${nameAll(this.#off)}.`)
  }

  /** Looks now, and again and again from then on. Never rejects: `observer.onError` is told, and the next look comes in time. */
  async start(): Promise<void> {
    await this.look().catch((error: Error) => this.#observer.onError?.(error))
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.start(), this.#everyMs)
    this.#timer.unref()
  }

  /** Looks now. Calls at the same moment share one look. Rejects with what the client rejects with. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const off = await findTriggersOff(this.#primary)
    this.#hasLooked = true
    const before = this.#off
    this.#off = off
    if (nameAll(off) !== nameAll(before)) this.#observer.onChange?.(off, before)
    const tags = off.flatMap((trigger) => trigger.tags)
    this.missesWrites = tags.length > 0
    this.#gap = new Set([...this.#gap, ...tags])
    if (this.#gap.size === 0) return
    // If they are on again, the catalogue says so since before this statement: its position is after all that was missed.
    await this.#primary.query('select stet.touch(variadic $1::text[])', [[...this.#gap]])
    this.#gap = new Set(tags)
  }

  /** Looks no more. Resolves once a look under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#looking?.catch(() => {})
  }
}

const nameAll = (triggers: readonly TriggerOff[]): string =>
  triggers.map(({ table, trigger, state }) => `${trigger} on ${table} (${state})`).join(', ')

/**
 * What to look at, and how often.
 * @example const options: TriggerWatchOptions = { primary: pool, everyMs: 60_000 }
 */
export interface TriggerWatchOptions {
  /** Leads to the primary. Its role may append to `stet.pending`. */
  readonly primary: SqlClient
  /** Default: five seconds. */
  readonly everyMs?: number
  readonly observer?: TriggerWatchObserver
}

/**
 * What the looks find, for logs.
 * @example const observer: TriggerWatchObserver = { onError: (error) => console.error('The triggers could not be looked at', error) }
 */
export interface TriggerWatchObserver {
  /** Other triggers are off than at the look before. */
  onChange?(off: readonly TriggerOff[], before: readonly TriggerOff[]): void
  /** A look failed. The next one comes in time. */
  onError?(error: Error): void
}
