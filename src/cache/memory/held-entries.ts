import type { Entry } from '../entry.ts'
import type { ResolvedKind } from '../kind.ts'
import type { Reader } from '../reader.ts'
import type { FifoQueue, QueueItem } from './fifo-queue.ts'

/**
 * An entry as memory holds it, with its place in the queues. All in one object, what each hit looks at first, because a hit among
 * many waits above all for main memory: `npm run bench -- peers --workloads cold`. In no queue, it is held no longer.
 */
export class HeldEntry<V = unknown> implements Entry<V>, QueueItem<HeldEntry> {
  readonly epoch: string
  asOf: number
  readonly staleAtMs: number
  readonly value: V | undefined
  uses = 0
  /** The `id` of the Reader that was given it last. */
  readBy: number | undefined
  queue: FifoQueue<HeldEntry> | undefined
  retryAtMs: number | undefined
  marks: Entry['marks']
  readonly key: string
  readonly tags: Entry['tags']
  readonly loadMs: number
  readonly storedAtMs: number
  lastRecord: Entry['lastRecord']
  readonly bytes: number
  newer: HeldEntry | undefined
  older: HeldEntry | undefined
  #known: KnownEntries<never> | undefined
  #name: number | string | undefined

  constructor(entry: Entry<V>, bytes: number) {
    this.epoch = entry.epoch
    this.asOf = entry.asOf
    this.staleAtMs = entry.staleAtMs
    this.value = entry.value
    this.retryAtMs = entry.retryAtMs
    this.marks = entry.marks
    this.key = entry.key
    this.tags = entry.tags
    this.loadMs = entry.loadMs
    this.storedAtMs = entry.storedAtMs
    this.lastRecord = entry.lastRecord
    this.bytes = bytes
  }

  /** The entry alone, without its neighbours. */
  toJSON(): Entry<V> {
    const { key, epoch, asOf, tags, value, loadMs, storedAtMs, staleAtMs } = this
    return { key, epoch, asOf, tags, value, loadMs, storedAtMs, staleAtMs }
  }

  /** Stands under `name` among known entries, for as long as it is held. */
  makeKnown(known: KnownEntries<V>, name: number | string): void {
    this.#becomeUnknown()
    known.set(name, this)
    this.#known = known as KnownEntries<never>
    this.#name = name
  }

  /** Its owner holds it no longer. Nor must those who knew it: they would keep its value alive. */
  onDropped(): void {
    this.#becomeUnknown()
  }

  #becomeUnknown(): void {
    if (this.#name !== undefined) this.#known?.delete(this.#name)
  }
}

type KnownEntries<V> = Map<number | string, HeldEntry<V>>

/**
 * Finds the entries of one kind in memory by their own keys. It remembers them by those, because to build and look up a whole key
 * takes five times as long as to judge the entry.
 */
export class HeldEntries<K, V> {
  readonly #kind: Pick<ResolvedKind<K, V>, 'policy'>
  readonly #memory: Memory
  readonly #names: EntryNames<K>
  /** By number or text, whichever the key is without a detour. */
  readonly #known: KnownEntries<V> = new Map()

  constructor(kind: Pick<ResolvedKind<K, V>, 'policy'>, memory: Memory, names: EntryNames<K>) {
    this.#kind = kind
    this.#memory = memory
    this.#names = names
  }

  /** The entry of `key`, whatever it is worth. Counts as no use: see `use`. */
  find(key: K, reader: Reader): HeldEntry<V> | undefined {
    const { scope, tiers } = this.#kind.policy
    if (tiers === 'redis') return undefined
    if (scope === 'viewer') return this.#lookUp(this.#names.idOf(key, reader))
    const name = typeof key === 'number' ? key : this.#names.textOf(key)
    const known = this.#known.get(name)
    return known?.queue ? known : this.#learn(name)
  }

  #learn(name: number | string): HeldEntry<V> | undefined {
    const entry = this.#lookUp(this.#names.idOfText(String(name)))
    if (!entry) return undefined
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    entry.makeKnown(this.#known, name)
    return entry
  }

  #lookUp(id: string): HeldEntry<V> | undefined {
    // Only this kind writes under its prefix.
    return this.#memory.peek(id) as HeldEntry<V> | undefined
  }
}

/** What finds an entry by its whole key. */
interface Memory {
  peek(id: string): HeldEntry | undefined
}

const MAX_KNOWN = 65_536

/** Counts a use of what was found: see `S3Fifo`. */
export function use(item: { uses: number }): void {
  if (item.uses < MAX_USES) item.uses++
}

const MAX_USES = 3

/**
 * How the entries of one kind are called. A whole key is namespace, kind, fingerprint and the text of the kind's own key:
 * `stet:article.aSYTnF0P:42`. For kinds of scope `viewer` the viewer stands before the text.
 */
export class EntryNames<K> {
  /** Begins the whole key of every entry of this kind, as it is defined now. */
  readonly prefix: string
  readonly #kind: Pick<ResolvedKind<K, never>, 'name' | 'key' | 'policy'>

  constructor(kind: Pick<ResolvedKind<K, never>, 'name' | 'key' | 'policy' | 'fingerprint'>, namespace: string) {
    this.#kind = kind
    this.prefix = `${namespace}${kind.name}.${kind.fingerprint}:`
  }

  /** The whole key of the entry that `reader` is given. Throws a `TypeError` if the scope is `viewer` and no viewer is named. */
  idOf(key: K, { viewer }: Pick<Reader, 'viewer'> = {}): string {
    if (this.#kind.policy.scope === 'public') return this.idOfText(this.textOf(key))
    if (viewer === undefined) {
      throw new TypeError(`The kind "${this.#kind.name}" has entries for each viewer: its reader must say who that is.`)
    }
    return `${this.idOfText(JSON.stringify(viewer))} ${withoutBraces(this.textOf(key))}`
  }

  idOfText(text: string): string {
    return this.prefix + withoutBraces(text)
  }

  /** The text of the kind's own key. */
  textOf(key: K): string {
    return this.#kind.key(key)
  }

  /** The text in a whole key. */
  textIn(id: string): string {
    return decodeURIComponent(id.slice(this.prefix.length))
  }

  owns({ key }: Pick<Entry, 'key'>): boolean {
    return key.startsWith(this.prefix)
  }
}

/** Escapes braces: a Redis Cluster would take the text between braces for the whole key. */
const withoutBraces = (text: string): string =>
  /[{}%]/.test(text) ? text.replaceAll('%', '%25').replaceAll('{', '%7B').replaceAll('}', '%7D') : text
