import {
  Cache,
  type CacheObserver,
  type KindDefinition,
  Ledger,
  type Policy,
  type Snapshot,
  type Source,
} from '../../src/cache/index.ts'
import { ManualClock } from './manual-clock.ts'
import { TinyDatabase } from './tiny-database.ts'
import type { TinyRemote } from './tiny-remote.ts'

export interface TinyProcessOptions {
  readonly database?: TinyDatabase<string>
  readonly remote?: TinyRemote
  readonly clock?: ManualClock
  readonly observer?: CacheObserver
  readonly random?: () => number
  readonly kind?: Partial<KindDefinition<string, string>>
  readonly namespace?: string
  readonly memoryMaxBytes?: number
  readonly defaults?: Partial<Policy>
  readonly secrets?: readonly string[]
  readonly startEpoch?: (epoch: string, why: string) => Promise<void>
}

/** A process that caches the rows of a tiny database, and does nothing by itself. */
export class TinyProcess {
  readonly database: TinyDatabase<string>
  readonly ledger = new Ledger()
  readonly clock: ManualClock
  readonly cache: Cache
  readonly rows
  /** What was asked of the database. */
  readonly loads: { readonly keys: readonly string[]; readonly source: Source }[] = []
  settled = 0
  /** How far the replica is behind, in commits. */
  replicaLag = 0
  /** What its loads fail with, for as long as it is set: those that end, whenever they began. */
  failure: Error | undefined
  #gate: Gate | undefined

  constructor(options: TinyProcessOptions = {}) {
    this.database = options.database ?? new TinyDatabase()
    this.clock = options.clock ?? new ManualClock()
    this.database.tell(this.ledger)
    this.cache = new Cache({
      ledger: this.ledger,
      settle: () => this.settle(),
      remote: options.remote,
      clock: this.clock,
      random: options.random ?? (() => 0),
      observer: options.observer,
      namespace: options.namespace,
      memoryMaxBytes: options.memoryMaxBytes,
      defaults: options.defaults,
      secrets: options.secrets,
      startEpoch: options.startEpoch,
    })
    this.rows = this.cache.kind<string, string>({
      name: 'row',
      key: (key) => key,
      tags: (key) => [`rows:${key}`],
      load: (keys, source) => this.load(keys, source),
      ttlMs: 60_000,
      ...options.kind,
    })
  }

  async load(keys: readonly string[], source: Source): Promise<Snapshot<string>> {
    this.loads.push({ keys, source })
    const snapshot = this.database.snapshot(keys, { behind: source === 'any' ? this.replicaLag : 0 })
    this.#gate?.arrive()
    await this.#gate?.open
    if (this.failure) throw this.failure
    return snapshot
  }

  async settle(): Promise<void> {
    this.settled++
    this.database.sequence()
    this.follow()
  }

  follow(): void {
    this.database.tell(this.ledger)
  }

  /**
   * Loads from now on bring what they read when they are let go. `begun` resolves once there is one. With
   * `letOthersPass` only those that have begun by then are held.
   */
  hold(): { readonly begun: Promise<void>; letOthersPass(): void; release(): void } {
    let arrive = () => {}
    let release = () => {}
    const begun = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const open = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#gate = { open, arrive }
    return {
      begun,
      letOthersPass: () => {
        this.#gate = undefined
      },
      release: () => {
        this.#gate = undefined
        release()
      },
    }
  }

  /** Commits, gives the write its position, and learns of it. */
  writeAndFollow(key: string, value: string | undefined, tags?: readonly string[]): void {
    this.database.write(key, value, tags)
    this.database.sequence()
    this.follow()
  }
}

/** A process in front of a database that holds `rows`. */
export function processHolding(rows: Readonly<Record<string, string>>, options: TinyProcessOptions = {}): TinyProcess {
  const [process] = processesHolding(1, rows, options)
  if (!process) throw new Error('There is one.')
  return process
}

/** So many processes that share a database, which holds `rows`, and a clock. */
export function processesHolding(
  count: number,
  rows: Readonly<Record<string, string>>,
  options: TinyProcessOptions = {},
): TinyProcess[] {
  const { database = new TinyDatabase<string>(), clock = new ManualClock() } = options
  for (const [key, value] of Object.entries(rows)) database.write(key, value)
  database.sequence()
  return Array.from({ length: count }, () => new TinyProcess({ ...options, database, clock }))
}

/** Resolves when all has happened that needs no time to pass: what is asked for in a turn of the event loop is loaded at its end. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

interface Gate {
  readonly open: Promise<void>
  arrive(): void
}
