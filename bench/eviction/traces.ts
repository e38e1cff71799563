import { Random, Zipf } from '../../src/kernel/random.ts'

/** Keys, what each takes in the heap, and the order in which they are asked for. */
export interface Trace {
  readonly keys: readonly string[]
  readonly bytes: readonly number[]
  /** Indexes of `keys`. */
  readonly requests: Uint32Array
}

/** Bytes of entries as a server stores them, by kind. */
export type SizesByKind = ReadonlyMap<string, readonly number[]>

const SEED = 20231023
const KEYS = 100_000
const REQUESTS = 1_000_000

/** Zipf's law over 100,000 entries of all kinds. */
export function zipf(sizes: SizesByKind): Trace {
  const { catalog, byPopularity, random } = popularEntries(sizes)
  return catalog.trace(Uint32Array.from({ length: REQUESTS }, () => byPopularity(random)))
}

/** The same, and after every 100,000 requests a scan reads 20,000 entries in a row, each once. */
export function zipfWithScans(sizes: SizesByKind): Trace {
  const { catalog, byPopularity, random } = popularEntries(sizes)
  const requests: number[] = []
  while (requests.length < REQUESTS) {
    for (let n = 0; n < 100_000; n++) requests.push(byPopularity(random))
    const from = random.below(KEYS)
    for (let n = 0; n < 20_000; n++) requests.push((from + n) % KEYS)
  }
  return catalog.trace(Uint32Array.from(requests))
}

/** Zipf's law, but popularity moves on by one entry with every twenty requests. */
export function drift(sizes: SizesByKind): Trace {
  const { catalog, random } = popularEntries(sizes)
  const popularity = new Zipf(KEYS)
  return catalog.trace(
    Uint32Array.from({ length: REQUESTS }, (_, n) => (popularity.pick(random) + Math.floor(n / 20)) % KEYS),
  )
}

/** The same entries again and again, in order: a fifth more than the cache holds. */
export function loop(sizes: SizesByKind, maxBytes: number): Trace {
  const { catalog } = popularEntries(sizes)
  let length = 0
  for (let bytes = 0; bytes < 1.2 * maxBytes; length++) bytes += catalog.bytes[length] ?? 0
  return catalog.trace(Uint32Array.from({ length: REQUESTS }, (_, n) => n % length))
}

/**
 * What Stet's own queries ask for, over 20,000 articles: lists (newest, by tag, by author, further pages) of twenty
 * articles with their authors and tags, and single articles as HTML. If there is a crawler, every twentieth query is
 * its next hundred articles.
 */
export function stet(sizes: SizesByKind, { crawler }: { readonly crawler: boolean }): Trace {
  const random = new Random(SEED)
  const catalog = new Catalog(sizes, random)
  const articles = new Zipf(ARTICLES)
  const tags = new Zipf(TAGS)
  const authors = new Zipf(AUTHORS)
  const pages = new Zipf(50)
  const place = shuffled(ARTICLES, random)
  const about = Array.from({ length: ARTICLES }, () => ({
    author: random.below(AUTHORS),
    tags: Array.from({ length: 1 + random.below(5) }, () => tags.pick(random)),
  }))
  const requests: number[] = []
  const ask = (kind: string, id: string | number, share = 1) => requests.push(catalog.index(kind, id, share))
  const list = (name: string, ids: readonly number[]) => {
    ask('article-list', name, ids.length / 20)
    for (const id of ids) {
      ask('article', id)
      ask('user', about[id]?.author ?? 0)
      for (const tag of about[id]?.tags ?? []) ask('tag', tag)
    }
  }
  const some = (count: number, seed: number) => {
    const chooser = new Random(seed)
    return Array.from({ length: count }, () => chooser.below(ARTICLES))
  }
  let crawled = 0
  for (let query = 1; requests.length < REQUESTS; query++) {
    if (crawler && query % 20 === 0) {
      const ids = Array.from({ length: 100 }, (_, n) => (crawled + n) % ARTICLES)
      list(`all after ${crawled}`, ids)
      crawled = (crawled + 100) % ARTICLES
      continue
    }
    const dice = random.next()
    if (dice < 0.5) {
      const id = place[articles.pick(random)] ?? 0
      for (const kind of ['article-by-slug', 'article', 'article-html', 'article-views']) ask(kind, id)
      ask('user', about[id]?.author ?? 0)
      for (const tag of about[id]?.tags ?? []) ask('tag', tag)
    } else if (dice < 0.7) {
      const page = pages.pick(random)
      ask('article-count', 'all')
      list(
        `newest ${page}`,
        Array.from({ length: 20 }, (_, n) => ARTICLES - 1 - 20 * page - n),
      )
    } else if (dice < 0.9) {
      const tag = tags.pick(random)
      const page = pages.pick(random)
      ask('article-count', `tag ${tag}`)
      list(`tag ${tag} ${page}`, some(20, 1000 * tag + page))
    } else {
      const author = authors.pick(random)
      ask('article-count', `author ${author}`)
      list(`author ${author}`, some(20, -1 - author))
    }
  }
  return catalog.trace(Uint32Array.from(requests))
}

const ARTICLES = 20_000
const TAGS = 100
const AUTHORS = 400

/** Entries of every kind, and how to pick one of them by popularity. */
function popularEntries(sizes: SizesByKind) {
  const random = new Random(SEED)
  const catalog = new Catalog(sizes, random)
  const kinds = [...sizes.keys()]
  for (let id = 0; id < KEYS; id++) catalog.index(kinds[random.below(kinds.length)] ?? '', id, 1)
  const popularity = new Zipf(KEYS)
  const place = shuffled(KEYS, random)
  return { catalog, random, byPopularity: (random: Random) => place[popularity.pick(random)] ?? 0 }
}

/** Numbers entries in the order in which they are first asked for. Each has the size of a real entry of its kind. */
class Catalog {
  readonly bytes: number[] = []
  readonly #keys: string[] = []
  readonly #indexes = new Map<string, number>()
  readonly #sizes: SizesByKind
  readonly #random: Random

  constructor(sizes: SizesByKind, random: Random) {
    this.#sizes = sizes
    this.#random = new Random(random.below(2 ** 31))
  }

  /** @param share how many times as large it is as a real entry */
  index(kind: string, id: string | number, share: number): number {
    const key = `stet:1:${kind}.1:${id}`
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    const sizes = this.#sizes.get(kind)
    if (!sizes) throw new Error(`No entry of the kind ${kind} was stored.`)
    this.#indexes.set(key, this.bytes.length)
    this.bytes.push(Math.ceil(share * (sizes[this.#random.below(sizes.length)] ?? 0)))
    this.#keys.push(key)
    return this.bytes.length - 1
  }

  trace(requests: Uint32Array): Trace {
    return { keys: this.#keys, bytes: this.bytes, requests }
  }
}

function shuffled(length: number, random: Random): number[] {
  const numbers = Array.from({ length }, (_, index) => index)
  for (let last = length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const number = numbers[last] ?? 0
    numbers[last] = numbers[other] ?? 0
    numbers[other] = number
  }
  return numbers
}
