/**
 * A name for rows that can change. The triggers of `sql/log.sql` write the same names:
 *
 * | tag                    | falls when                                                        |
 * |------------------------|-------------------------------------------------------------------|
 * | `articles:42`          | that row is written                                               |
 * | `articles:author_id=7` | a row joins, leaves or moves within the rows with that value      |
 * | `articles:title`       | some row's title changes                                          |
 * | `articles:*`           | a row joins, leaves or moves in the table                         |
 * | `articles:any`         | anything at all is written to the table                           |
 * | `articles`             | the table is purged, or one statement wrote too many rows         |
 * | an entry's whole key   | that entry is purged                                              |
 * | `*`                    | anything at all is written, whatever it is: see `ANY_WRITE`       |
 *
 * A tag in the log that begins with `~` is a soft one: entries that depend on it may be served while they are refreshed.
 * @example const tags: CacheTag[] = [rowTag('articles', 42), columnTag('articles', 'author_id', 7)]
 */
export type CacheTag = string

/** Falls when the row with that key is written. @example rowTag('articles', 42) // 'articles:42' */
export const rowTag = (table: string, key: string | number): CacheTag => `${table}:${key}`

/**
 * Falls when a row joins, leaves or moves within the rows that have `value` in `column`.
 * @example columnTag('articles', 'author_id', 7) // 'articles:author_id=7'
 */
export const columnTag = (table: string, column: string, value: string | number | null): CacheTag =>
  `${table}:${column}=${value}`

/** Falls when that field of any row changes. @example fieldTag('articles', 'title') // 'articles:title' */
export const fieldTag = (table: string, field: string): CacheTag => `${table}:${field}`

/** Falls when a row joins, leaves or moves in the table. @example anyRowTag('articles') // 'articles:*' */
export const anyRowTag = (table: string): CacheTag => `${table}:*`

/** Falls at every write to the table. @example anyWriteTag('articles') // 'articles:any' */
export const anyWriteTag = (table: string): CacheTag => `${table}:any`

/**
 * Falls with every record of the log. For what is given to those who wait for it, and is kept nowhere: to name all that it
 * depends on may cost more than to make it again.
 * @example const traits: Traits = { ttlMs: 0, tags: [ANY_WRITE] }
 */
export const ANY_WRITE: CacheTag = '*'

/**
 * The tag to append to the log, so that entries are refreshed and may be served until they are.
 * @example await pool.query('select stet.touch($1)', [softly(rowTag('articles', 42))])
 */
export const softly = (tag: CacheTag): CacheTag => `~${tag}`

export const isSoft = (tag: CacheTag): boolean => tag.startsWith('~')

/** A tag of the log as entries have it: without the `~`. */
export const hard = (tag: CacheTag): CacheTag => (isSoft(tag) ? tag.slice(1) : tag)

/**
 * `tags` once each, with the tag of every table among them, so that one record can purge a table.
 * @example withTables(['articles:42', 'users:7']) // ['articles:42', 'users:7', 'articles', 'users']
 */
export function withTables(tags: readonly CacheTag[]): readonly CacheTag[] {
  const all = new Set(tags)
  for (const tag of tags) {
    const colon = tag.indexOf(':')
    if (colon > 0) all.add(shared(tag.slice(0, colon)))
  }
  return [...all]
}

/** The same string for all entries of a table, so that it stays in the processor's caches. */
function shared(table: CacheTag): CacheTag {
  const known = tables.get(table)
  if (known === undefined && tables.size < MAX_TABLES) tables.set(table, table)
  return known ?? table
}

const tables = new Map<CacheTag, CacheTag>()
const MAX_TABLES = 1000
