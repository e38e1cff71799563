import type { Ledger, LogRecord, LogStretch } from '../cache/index.ts'
import { inTime } from '../kernel/in-time.ts'
import type { Log, Tip } from './log.ts'
import type { Heard, Loudspeaker } from './loudspeaker.ts'

export interface FollowerOptions {
  readonly log: Log
  readonly ledger: Ledger
  readonly loudspeakers?: readonly Loudspeaker[]
  /** How long after the last look to look again whether the log went on, in milliseconds: bounds how long a write by somebody else, or a lost message, goes unnoticed. Default 50. */
  readonly beatMs?: number
  /** How many records to read back at start, so that entries in a remote tier still stand. Default 100,000. */
  readonly readBack?: number
  /** How long the log may take to answer, in milliseconds, before it counts as failed. Default 10,000. */
  readonly timeoutMs?: number
  readonly observer?: FollowerObserver
}

export interface FollowerObserver {
  /** @param source where this process learnt of the records: its own look at the log, or a loudspeaker's name */
  onAdvance?(records: readonly LogRecord[], source: string): void
  /** A message came whose predecessors did not. */
  onGap?(source: string): void
  /** The log isn't the one that was followed so far. */
  onNewEpoch?(why: string): void
  /** The log could not be read. It will be tried again at the next beat. */
  onError?(error: Error): void
}

/** Keeps a ledger up with the log, and the log up with what was committed. */
export class Follower {
  readonly #log: Log
  readonly #ledger: Ledger
  readonly #loudspeakers: readonly Loudspeaker[]
  /** How long after its last look at the log it looks by itself, in milliseconds. */
  readonly beatMs: number
  readonly #readBack: number
  readonly #timeoutMs: number
  readonly #observer: FollowerObserver
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #beat: NodeJS.Timeout | undefined
  #stopped = false
  #settledAtMs = performance.now()

  constructor(options: FollowerOptions) {
    this.#log = options.log
    this.#ledger = options.ledger
    this.#loudspeakers = options.loudspeakers ?? []
    this.beatMs = options.beatMs ?? 50
    this.#readBack = options.readBack ?? 100_000
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#observer = options.observer ?? {}
  }

  /** Resolves once the ledger stands at the log's tip. Rejects where the log can't be read; it may be tried again then. */
  async start(): Promise<void> {
    await this.settle()
    for (const loudspeaker of this.#loudspeakers) loudspeaker.start((heard) => this.#hear(heard, loudspeaker.name))
    this.#scheduleBeat()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#beat)
    await Promise.all(this.#loudspeakers.map((loudspeaker) => loudspeaker.stop()))
    await (this.#next ?? this.#running)?.catch(() => {})
  }

  /**
   * Resolves once every write committed before the call has its position and the ledger knows it.
   * Callers share the work: a run that has already begun might have missed their write, so they join the next.
   */
  settle(): Promise<void> {
    if (this.#next) return this.#next
    const previous = this.#running ?? Promise.resolve()
    const next = previous
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        this.#running = next
        return this.#run()
      })
    this.#next = next
    return next
  }

  /** For how long nobody knows what the log holds, in milliseconds: since the ledger was last found at its tip. */
  get unsureForMs(): number {
    return performance.now() - this.#settledAtMs
  }

  /** Resolves with true once the ledger has reached `position`, with false if it can't within `withinMs`. */
  async reach(position: number, withinMs: number): Promise<boolean> {
    if (this.#ledger.seen >= position) return true
    // The log itself is the surest way: a position it doesn't hold was never handed out. Where it fails, a loudspeaker may do.
    const forever = new Promise<void>(() => {})
    await inTime(
      this.settle().catch(() => forever),
      withinMs,
      () => {},
    )
    return this.#ledger.seen >= position
  }

  /** @param newEpoch why another epoch was begun just now */
  async #run(newEpoch?: string): Promise<void> {
    // Taken before the log is asked: a loudspeaker may carry the ledger past what the log then says.
    const { epoch, seen, seenWrittenAtUs } = this.#ledger
    const tip = await this.#inTime(this.#log.sequence())
    if (tip.epoch !== epoch) {
      if (epoch !== '') this.#observer.onNewEpoch?.(newEpoch ?? `the log's epoch was ${epoch}`)
      this.#ledger.restart(tip.epoch, Math.max(0, tip.position - this.#readBack))
    } else if (tip.position < seen) {
      return this.#startEpoch(`the log ends at ${tip.position}, and ${seen} was seen`)
    } else if (tip.position === seen && seenWrittenAtUs !== undefined && tip.writtenAtUs !== seenWrittenAtUs) {
      return this.#startEpoch(`the record at ${seen} isn't the one that was seen`)
    }

    let last: LogRecord[] = []
    while (this.#ledger.seen < tip.position) {
      const from = this.#ledger.seen
      const first = tip.records?.[0]
      const reachBack = first && first.position <= Math.max(1, from)
      const records = reachBack ? tip.records : await this.#inTime(this.#log.recordsFrom(from, PAGE))
      // A loudspeaker may have carried the ledger on meanwhile.
      const { seen, seenWrittenAtUs } = this.#ledger
      const known = records.find((record) => record.position === seen)
      if (known && seenWrittenAtUs !== undefined && known.writtenAtUs !== seenWrittenAtUs) {
        return this.#startEpoch(`the record at ${seen} isn't the one that was seen`)
      }
      const news = records.filter((record) => record.position > seen)
      const [next] = news
      if (!next) {
        if (seen > from) continue
        throw new Error(`The log said that it ends at ${tip.position}, and then held nothing after ${seen}.`)
      }
      // Pruned past us: what fell meanwhile is unknown, so nothing as of before may stand.
      if (next.position > seen + 1) this.#ledger.restart(tip.epoch, next.position - 1)
      last = news.filter((record, index) => record.position === next.position + index)
      this.#apply({ epoch: tip.epoch, after: this.#ledger.seen, records: last }, 'log')
    }
    this.#settledAtMs = performance.now()
    if (tip.sequenced > 0) this.#publish(tip, last)
  }

  /** Whoever gave records their positions tells everybody else: the records, or, where they are many, only how far the log goes. */
  #publish(tip: Tip, last: readonly LogRecord[]): void {
    const after = tip.position - tip.sequenced
    const records = last.filter((record) => record.position > after && record.position <= tip.position)
    const few =
      records.length === tip.sequenced && records.reduce((sum, { tags }) => sum + tags.length, 0) <= MAX_TAGS_TOLD
    const stretch = few ? { after, records } : { after: tip.position, records: [] }
    for (const speaker of this.#loudspeakers) speaker.publish({ epoch: tip.epoch, ...stretch })
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
    const before = this.#ledger.seen
    const applied = this.#ledger.advance(stretch)
    const news = applied ? stretch.records.filter((record) => record.position > before) : []
    if (news.length > 0) this.#observer.onAdvance?.(news, source)
    return applied
  }

  async #startEpoch(why: string): Promise<void> {
    await this.#inTime(this.#log.startEpoch(this.#ledger.epoch))
    return this.#run(why)
  }

  /** A connection can be lost without anybody noticing, and everything waits for this. */
  #inTime<T>(answer: Promise<T>): Promise<T> {
    return inTime(answer, this.#timeoutMs, () => {
      const message = `The log did not answer within ${this.#timeoutMs} ms.`
      // As of a connection that is lost, which it may well be.
      throw Object.assign(new Error(message), { code: 'ETIMEDOUT' })
    })
  }

  #scheduleBeat(delayMs = this.beatMs): void {
    if (this.#stopped) return
    this.#beat = setTimeout(() => {
      const restMs = this.beatMs - this.unsureForMs
      // A write, or a message, has made it look meanwhile.
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

/** Records read from the log at once. */
const PAGE = 5000
/** Beyond this a message would be slower to send to everybody than the log is to read. */
const MAX_TAGS_TOLD = 2000
const PAUSE_AFTER_ERROR_MS = 500
