import type { Entry } from '../entry.ts'
import type { ResolvedKind } from '../kind.ts'
import type { Reader } from '../reader.ts'

/**
 * Finds entries of one kind in memory by their own keys. It remembers where they lie, because to build and look up a whole
 * key takes five times as long as to judge the entry. A slot may be emptied or filled anew by the memory tier at any time.
 */
export class Slots<K, V> {
  readonly #kind: Pick<ResolvedKind<K, V>, 'policy'>
  readonly #memory: Memory
  readonly #names: EntryNames<K>
  /** By number or text, whichever the key is without a detour. */
  readonly #known = new Map<number | string, Slot<Entry<V>>>()

  constructor(kind: Pick<ResolvedKind<K, V>, 'policy'>, memory: Memory, names: EntryNames<K>) {
    this.#kind = kind
    this.#memory = memory
    this.#names = names
  }

  /** The slot that holds the entry of `key`. Counts as no use: see `use`. */
  find(key: K, reader: Reader): Slot<Entry<V>> | undefined {
    const { scope, tiers } = this.#kind.policy
    if (tiers === 'redis') return undefined
    if (scope === 'viewer') return this.#lookUp(this.#names.idOf(key, reader))
    const name = typeof key === 'number' ? key : this.#names.textOf(key)
    const known = this.#known.get(name)
    if (known?.value) return known
    const slot = this.#lookUp(this.#names.idOfText(String(name)))
    if (!slot) return undefined
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(name, slot)
    return slot
  }

  #lookUp(id: string): Slot<Entry<V>> | undefined {
    // Only this kind writes under its prefix.
    return this.#memory.find(id) as Slot<Entry<V>> | undefined
  }
}

/** What finds a slot by an entry's whole key. */
interface Memory {
  find(id: string): Slot<Entry> | undefined
}

const MAX_KNOWN = 65_536

/** Where memory holds a value. A value that is set anew under the key is found there, too. */
export interface Slot<V> {
  readonly key: string
  /** Undefined once it was dropped. */
  readonly value: V | undefined
  /** How often it was used lately: see `S3Fifo`. */
  uses: number
}

/** The value of a slot, counted as a use. Undefined if it was dropped. */
export function use<V>(slot: Slot<V>): V | undefined {
  if (slot.uses < MAX_USES) slot.uses++
  return slot.value
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
  #last: { readonly key: K; readonly text: string } | undefined

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
    const last = this.#last
    return last && last.key === key ? last.text : this.#kind.key(key)
  }

  /** The same, remembered until the next call: a caller that reads `key` next does not pay for its text twice. */
  nameOf(key: K): string {
    this.#last = { key, text: this.#kind.key(key) }
    return this.#last.text
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
