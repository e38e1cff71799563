import type { Ledger, LogRecord, LogStretch } from '../cache/index.ts'
import { inTime } from '../kernel/in-time.ts'
import type { Log, Tip } from './log.ts'
import type { Heard, Loudspeaker } from './loudspeaker.ts'

/**
 * Keeps a ledger up with the log. There is one for each process. It looks at the log when a loudspeaker has told of new records,
 * when `settle` is called, and at every beat.
 *
 * @example
 * const ledger = new Ledger()
 * const follower = new Follower({ log: new Log(pool), ledger })
 * await follower.start()
 * await pool.query('update cities set people = 101 where id = 1')
 * await follower.settle() // From here on, this process answers with the write.
 * await follower.stop()
 */
export class Follower {
  readonly #log: Log
  readonly #ledger: Ledger
  readonly #loudspeakers: readonly Loudspeaker[]
  /** See `FollowerOptions`. */
  readonly beatMs: number
  readonly #readBack: number
  readonly #timeoutMs: number
  readonly #observer: FollowerObserver
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #beat: NodeJS.Timeout | undefined
  #stopped = false
  #settledAtMs = performance.now()
  /** The log failed, or has not answered for long. */
  #isLate = false

  constructor(options: FollowerOptions) {
    this.#log = options.log
    this.#ledger = options.ledger
    this.#loudspeakers = options.loudspeakers ?? []
    this.beatMs = options.beatMs ?? 50
    this.#readBack = options.readBack ?? 100_000
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#observer = options.observer ?? {}
  }

  /** Resolves once the ledger is at the log's end. Rejects if the log can't be read: then it may be called again. */
  async start(): Promise<void> {
    await this.settle()
    for (const loudspeaker of this.#loudspeakers) loudspeaker.start((heard) => this.#hear(heard, loudspeaker.name))
    this.#scheduleBeat()
  }

  /** Resolves once nothing is under way any more. The clients stay open. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#beat)
    await Promise.all(this.#loudspeakers.map((loudspeaker) => loudspeaker.stop()))
    await (this.#next ?? this.#running)?.catch(() => {})
  }

  /**
   * Resolves once every write committed before the call has its position, and the ledger knows it. Rejects if the log can't be
   * read. Callers share the work: a run that has already begun may have missed their write, so they join the next one.
   */
  settle(): Promise<void> {
    if (this.#next) return this.#next
    const previous = this.#running ?? Promise.resolve()
    const next = previous
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        this.#running = next
        return this.#look()
      })
    this.#next = next
    return next
  }

  /** How long ago the ledger was last known to be at the log's end, in milliseconds: when the last look that succeeded began. */
  get unsureForMs(): number {
    return performance.now() - this.#settledAtMs
  }

  /**
   * True if a write of another process may have gone unnoticed for longer than a beat and a quarter of a second. A look begins one
   * beat after the one before it, and may take that quarter: a connection that hangs is noticed and replaced meanwhile, and a busy
   * machine is not taken for a log that fails.
   */
  get isUnsure(): boolean {
    return this.unsureForMs > this.beatMs + LATE_MS
  }

  /**
   * Resolves with true once the ledger is known to be at the log's end, or with false if the log doesn't answer. Never waits for a
   * log that failed, or is late already: then resolves at once. After a pause of this process it costs one look.
   */
  async reassure(): Promise<boolean> {
    if (this.isUnsure && !this.#isLate) {
      const settled = this.settle().catch(() => {})
      await inTime(settled, LATE_MS, () => {})
    }
    return !this.isUnsure
  }

  /** Resolves with true once the ledger has reached `position`, or with false if that takes longer than `withinMs`. */
  async reach(position: number, withinMs: number): Promise<boolean> {
    if (this.#ledger.seen >= position) return true
    // If the log can't be read, a loudspeaker may still bring the ledger there: so its failure ends nothing.
    const forever = new Promise<void>(() => {})
    await inTime(
      this.settle().catch(() => forever),
      withinMs,
      () => {},
    )
    return this.#ledger.seen >= position
  }

  async #look(): Promise<void> {
    const beganAtMs = performance.now()
    let isOver = false
    const beLate = () => {
      if (!isOver) this.#isLate = true
    }
    // Node runs timers before it reads sockets: after a pause of this process, the answer may be there.
    const timer = setTimeout(() => setImmediate(beLate), LATE_MS)
    try {
      await this.#run()
      this.#settledAtMs = beganAtMs
      this.#isLate = false
    } catch (error) {
      this.#isLate = true
      throw error
    } finally {
      isOver = true
      clearTimeout(timer)
    }
  }

  /** @param newEpoch why another epoch was begun just now */
  async #run(newEpoch?: string): Promise<void> {
    // Taken before the log is asked: meanwhile a loudspeaker may bring the ledger further than the log's answer.
    const { epoch, lastHeld } = this.#ledger
    const tip = await this.#inTime(this.#log.sequence())
    if (tip.epoch !== epoch) {
      if (epoch !== '') this.#observer.onNewEpoch?.(newEpoch ?? `the log's epoch was ${epoch}`)
      this.#ledger.restart(tip.epoch, Math.max(0, tip.position - this.#readBack))
    } else if (tip.position < lastHeld.position) {
      return this.#startEpoch(`the log ends at ${tip.position}, and ${lastHeld.position} was seen`)
    } else if (tip.position === lastHeld.position && isOther(lastHeld, tip)) {
      return this.#startEpoch(`the record at ${lastHeld.position} isn't the one that was seen`)
    }

    let last: LogRecord[] = []
    while (this.#ledger.seen < tip.position) {
      const from = this.#ledger.lastHeld.position
      const first = tip.records?.[0]
      const reachBack = first && first.position <= Math.max(1, from)
      const records = reachBack ? tip.records : await this.#inTime(this.#log.recordsFrom(from, PAGE))
      // A loudspeaker may have brought the ledger further meanwhile.
      const { lastHeld } = this.#ledger
      const known = records.find(({ position }) => position === lastHeld.position)
      if (known && isOther(lastHeld, known)) {
        return this.#startEpoch(`the record at ${lastHeld.position} isn't the one that was seen`)
      }
      // What follows the tip may be a part of what another run is numbering.
      const news = records.filter(({ position }) => position > lastHeld.position && position <= tip.position)
      const [next] = news
      if (!next) {
        if (lastHeld.position > from) continue
        throw new Error(
          `The log said that it ends at ${tip.position}, and then held nothing after ${lastHeld.position}.`,
        )
      }
      // Records were pruned that the ledger has not seen. HAZARD: any entry may have fallen by them, so none from before may stand.
      if (next.position > lastHeld.position + 1) this.#ledger.restart(tip.epoch, next.position - 1)
      last = news.filter((record, index) => record.position === next.position + index)
      const isWhole = last.at(-1)?.position === tip.position
      this.#apply({ epoch: tip.epoch, after: this.#ledger.lastHeld.position, records: last, isWhole }, 'log')
    }
    if (tip.sequenced > 0) this.#publish(tip, last)
  }

  /** The process that gave records their positions tells the others: the records, or only how far the log goes if they are many. */
  #publish(tip: Tip, last: readonly LogRecord[]): void {
    const after = tip.position - tip.sequenced
    const records = last.filter((record) => record.position > after && record.position <= tip.position)
    const few =
      records.length === tip.sequenced && records.reduce((sum, { tags }) => sum + tags.length, 0) <= MAX_TAGS_TOLD
    const stretch = few ? { after, records } : { after: tip.position, records: [] }
    const afterWrittenAtUs = this.#ledger.writtenAtUs(stretch.after)
    for (const speaker of this.#loudspeakers) speaker.publish({ epoch: tip.epoch, ...stretch, afterWrittenAtUs })
  }

  #hear(heard: Heard, source: string): void {
    if (this.#stopped || this.#ledger.epoch === '') return
    if (heard.kind === 'stretch') {
      if (this.#apply(heard.stretch, source)) return
      this.#observer.onGap?.(source)
    } else if (heard.position <= this.#ledger.seen) {
      return
    }
    this.settle().catch((error: Error) => this.#observer.onError?.(error))
  }

  #apply(stretch: LogStretch, source: string): boolean {
    const before = this.#ledger.lastHeld.position
    const applied = this.#ledger.advance(stretch)
    const news = applied ? stretch.records.filter((record) => record.position > before) : []
    if (news.length > 0) this.#observer.onAdvance?.(news, source)
    return applied
  }

  async #startEpoch(why: string): Promise<void> {
    await this.#inTime(this.#log.startEpoch(this.#ledger.epoch))
    return this.#run(why)
  }

  /** A connection can be lost without a sign, and every write waits for this answer. */
  #inTime<T>(answer: Promise<T>): Promise<T> {
    return inTime(answer, this.#timeoutMs, () => {
      const message = `The log did not answer within ${this.#timeoutMs} ms.`
      // The code of a lost connection, which is the likeliest cause: callers treat it as one.
      throw Object.assign(new Error(message), { code: 'ETIMEDOUT' })
    })
  }

  #scheduleBeat(delayMs = this.beatMs): void {
    if (this.#stopped) return
    this.#beat = setTimeout(() => {
      const restMs = this.beatMs - this.unsureForMs
      // A write or a message has made the follower look meanwhile.
      if (restMs > 0) return this.#scheduleBeat(restMs)
      this.settle().then(
        () => this.#scheduleBeat(),
        (error: Error) => {
          this.#observer.onError?.(error)
          this.#scheduleBeat(Math.max(this.beatMs, PAUSE_AFTER_ERROR_MS))
        },
      )
    }, delayMs)
  }
}

/** Whether the record that the log has at a position is another than the one that was seen there. */
const isOther = (seen: Pick<Tip, 'writtenAtUs'>, present: Pick<Tip, 'writtenAtUs'>): boolean =>
  seen.writtenAtUs !== undefined && seen.writtenAtUs !== present.writtenAtUs

/** How many records are read from the log at once. */
const PAGE = 5000
/** With more tags than this, sending a message to all takes longer than their reading the log. */
const MAX_TAGS_TOLD = 2000
const PAUSE_AFTER_ERROR_MS = 500
/** How long a look may take, in milliseconds, until answers say that they may be stale. */
const LATE_MS = 250

/**
 * What a follower follows, and how.
 * @example const options: FollowerOptions = { log, ledger, loudspeakers: [redis, notify], beatMs: 50 }
 */
export interface FollowerOptions {
  readonly log: Log
  /** HAZARD: give it to one follower only. */
  readonly ledger: Ledger
  /** How processes hear from each other at once. Default: none, and the beat alone finds what other processes wrote. */
  readonly loudspeakers?: readonly Loudspeaker[]
  /**
   * How long after its last look the follower looks at the log again, in milliseconds. This bounds how long a write of another
   * process goes unnoticed if its message is lost. Default 50.
   */
  readonly beatMs?: number
  /** How many records to read back at start, so that older entries in a remote tier can still be judged. Default 100,000. */
  readonly readBack?: number
  /** How long the log may take to answer, in milliseconds. Then it counts as failed. Default 10,000. */
  readonly timeoutMs?: number
  readonly observer?: FollowerObserver
}

/**
 * What happens inside, for metrics and logs.
 * @example const observer: FollowerObserver = { onError: (error) => console.error('The log could not be read', error) }
 */
export interface FollowerObserver {
  /** @param source how this process learnt of the records: `log`, or the name of a loudspeaker */
  onAdvance?(records: readonly LogRecord[], source: string): void
  /** A message came, and one before it did not; or it follows another past than the one that was followed. */
  onGap?(source: string): void
  /** The log has another history than the one that was followed. Everything cached before is void. */
  onNewEpoch?(why: string): void
  /** The log could not be read. The next beat tries again. */
  onError?(error: Error): void
}
