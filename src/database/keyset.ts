import { type RawBuilder, sql } from 'kysely'
import type { CachedKind, CacheTag, Snapshot } from '../cache/index.ts'
import { type CachedTable, isWhole } from './cached-rows.ts'
import type { RunQuery } from './database.ts'
import { type ReadAsOf, readAsOf } from './read-as-of.ts'

/** A place in a list: the value that orders it, and the id that tells rows of equal value apart. Unlike an offset, an insert does not move it. */
export interface Place {
  /** The value as text: see `KeyType`. */
  readonly key: string
  readonly id: number
}

export interface Page {
  readonly limit: number
  /** The page is the last one of the range, not the first. */
  readonly backward: boolean
  readonly after?: Place | undefined
  readonly before?: Place | undefined
}

/** Pages of the whole table in one order, and the number of its rows. `tags` must cover both. */
export function cachedList(
  { cache, database, table, ttlMs, code }: CachedTable,
  { name, ordering, tags }: { readonly name: string; readonly ordering: Ordering; readonly tags: readonly CacheTag[] },
): { readonly pages: CachedKind<Page, PlacesOnPage>; readonly count: CachedKind<'all', number> } {
  const list = { from: sql.table(table), where: [], ordering }
  const policy = { ttlMs, madeOf: [code], tags: () => tags }
  return {
    pages: cache.kind<Page, PlacesOnPage>({
      ...policy,
      name: `${name}-list`,
      maxBatch: PAGES_AT_ONCE,
      key: (page) => JSON.stringify(pageParts(page)),
      parseKey: (text) => pageFrom(JSON.parse(text)),
      load: (pages, source) => {
        const lists = pages.map((page) => ({ from: list.from, where: list.where, ordering, page }))
        return readPages(database.loader(source), lists)
      },
      isValue: isPage,
    }),
    count: cache.kind<'all', number>({
      ...policy,
      name: `${name}-count`,
      key: (all) => all,
      parseKey: () => 'all',
      load: async (_all, source) => readCounts(database.loader(source), [list]),
      isValue: isWhole,
    }),
  }
}

/** How many pages one statement reads at most: the reader of a quick page waits for the slowest one. */
export const PAGES_AT_ONCE = 20

/** A page as it stands in a cache key: an array, because no key in Redis may hold the braces of an object. */
export const pageParts = ({ limit, backward, after, before }: Page): readonly unknown[] => [
  limit,
  backward,
  after?.key,
  after?.id,
  before?.key,
  before?.id,
]

/** The inverse of `pageParts`, after a trip through JSON. */
export function pageFrom(parts: readonly unknown[]): Page {
  const [limit, backward, afterKey, afterId, beforeKey, beforeId] = parts
  const place = (key: unknown, id: unknown) => (key === null ? undefined : { key: String(key), id: Number(id) })
  return {
    limit: Number(limit),
    backward: backward === true,
    after: place(afterKey, afterId),
    before: place(beforeKey, beforeId),
  }
}

/** The places on a page, in the list's order. `more`: the range has more rows than the page's limit. */
export interface PlacesOnPage {
  readonly places: readonly Place[]
  readonly more: boolean
}

export function isPage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('places' in value) || !('more' in value)) return false
  const { places, more } = value
  return (
    typeof more === 'boolean' &&
    Array.isArray(places) &&
    places.every((place) => typeof place?.key === 'string' && isWhole(place.id))
  )
}

/** How a list is ordered: by one value, then by id. Both have the same direction, so that one index serves. */
export interface Ordering {
  /** The value, in the very words of the index. */
  readonly value: RawBuilder<unknown>
  readonly keyType: KeyType
  readonly id: RawBuilder<number>
  readonly descending: boolean
}

/** The type of the value. In a key an instant is microseconds since the Unix epoch, which a JavaScript Date would round. */
export type KeyType = 'text' | 'integer' | 'instant'

/** A list to read a page of: the FROM and the WHERE of its SELECT, its order, and the page. */
export interface PagedQuery {
  readonly from: RawBuilder<unknown>
  readonly where: readonly RawBuilder<unknown>[]
  readonly ordering: Ordering
  readonly page: Page
}

/** Reads a page of each list, in one statement. By keyset, so that a page far from the start costs no more than the first. */
export async function readPages(run: RunQuery, lists: readonly PagedQuery[]): Promise<Snapshot<PlacesOnPage>> {
  const read = await readAsOf<PlaceRow>(run, unionAll(lists.map(selectPage)))
  return perList(lists.length, read, (rows, index) => {
    const page = lists[index]?.page
    const places = rows.sort((a, b) => a.rank - b.rank).map(({ key, id }): Place => ({ key, id }))
    const more = page !== undefined && places.length > page.limit
    if (more) places.pop()
    return { places: page?.backward ? places.reverse() : places, more }
  })
}

/** Counts the rows of each list, in one statement. */
export async function readCounts(
  run: RunQuery,
  lists: readonly Pick<PagedQuery, 'from' | 'where'>[],
): Promise<Snapshot<number>> {
  const counts = lists.map(
    ({ from, where }, index) =>
      sql<CountRow>`select ${sql.lit(index)} as list, count(*) as count from ${from} where ${all(where)}`,
  )
  const read = await readAsOf<CountRow>(run, unionAll(counts))
  return perList(lists.length, read, ([row]) => row?.count ?? 0)
}

function selectPage({ from, where, ordering, page }: PagedQuery, index: number): RawBuilder<PlaceRow> {
  const { value, keyType, id, descending } = ordering
  const down = descending !== page.backward
  const direction = sql.raw(down ? 'desc' : 'asc')
  const beyond = (place: Place, operator: '<' | '>') =>
    sql`(${value}, ${id}) ${sql.raw(operator)} (${FROM_KEY[keyType](place.key)}, ${place.id})`
  const bounds = [
    ...(page.after ? [beyond(page.after, descending ? '<' : '>')] : []),
    ...(page.before ? [beyond(page.before, descending ? '>' : '<')] : []),
  ]
  const order = sql`${value} ${direction}, ${id} ${direction}`
  return sql<PlaceRow>`
    select ${sql.lit(index)} as list, ${keyType === 'instant' ? sql`stet.microseconds(${value})` : value}::text as key, ${id} as id, row_number() over (order by ${order}) as rank
      from ${from} where ${all([...where, ...bounds])} order by ${order} limit ${sql.lit(page.limit + 1)}`
}

/** PostgreSQL multiplies an interval by a float: whole hours first, so that no microsecond of a far year is lost. */
const FROM_KEY: Readonly<Record<KeyType, (key: string) => RawBuilder<unknown>>> = {
  text: (key) => sql`${key}::text`,
  integer: (key) => sql`${key}::bigint`,
  instant: (key) =>
    sql`timestamptz 'epoch' + ${key}::bigint / 3600000000 * interval '1 hour' + ${key}::bigint % 3600000000 * interval '1 microsecond'`,
}

const all = (conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> =>
  joined([sql`true`, ...conditions], sql` and `)

const unionAll = <Row>(queries: readonly RawBuilder<Row>[]): RawBuilder<Row> => joined(queries, sql` union all `)

/** Each in parentheses. */
function joined<Row>(parts: readonly RawBuilder<Row>[], separator: RawBuilder<unknown>): RawBuilder<Row> {
  const enclosed = parts.map((part) => sql`(${part})`)
  return sql<Row>`${sql.join(enclosed, separator)}`
}

function perList<Row extends { readonly list: number }, V>(
  lists: number,
  { rows, asOf, epoch, unsettled }: ReadAsOf<Row>,
  toValue: (rows: Row[], index: number) => V,
): Snapshot<V> {
  const grouped: Row[][] = Array.from({ length: lists }, () => [])
  for (const row of rows) grouped[row.list]?.push(row)
  return { asOf, epoch, unsettled, values: grouped.map(toValue) }
}

type PlaceRow = Place & { readonly list: number; readonly rank: number }
type CountRow = { readonly list: number; readonly count: number }
