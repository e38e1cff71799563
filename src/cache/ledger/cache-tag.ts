/**
 * A name for rows that can change. The triggers of `migrations/0001_stet.sql` write the same names:
 *
 * | tag                    | falls when                                                        |
 * |------------------------|-------------------------------------------------------------------|
 * | `articles:42`          | that row is written                                               |
 * | `articles:author_id=7` | a row joins, leaves or moves within the rows with that value      |
 * | `articles:title`       | some row's title changes                                          |
 * | `articles:*`           | a row joins, leaves or moves in the table                         |
 * | `articles:any`         | anything at all is written to the table                           |
 * | `articles`             | somebody purges the table, or one statement wrote too many rows   |
 * | an entry's whole key   | somebody purges that entry                                        |
 *
 * With `~` before it a tag in the log is a soft one: what depends on it may be served once more while it is refreshed.
 */
export type CacheTag = string

export const rowTag = (table: string, key: string | number): CacheTag => `${table}:${key}`

export const columnTag = (table: string, column: string, value: string | number | null): CacheTag =>
  `${table}:${column}=${value}`

export const fieldTag = (table: string, field: string): CacheTag => `${table}:${field}`

export const anyRowTag = (table: string): CacheTag => `${table}:*`

export const anyWriteTag = (table: string): CacheTag => `${table}:any`

/** The tag to append to the log (`stet.touch`) so that entries are refreshed, and may be served until they are. */
export const softly = (tag: CacheTag): CacheTag => `~${tag}`

export const isSoft = (tag: CacheTag): boolean => tag.startsWith('~')

/** A tag of the log as entries have it. */
export const hard = (tag: CacheTag): CacheTag => (isSoft(tag) ? tag.slice(1) : tag)

/** `tags` once each, with the tag of every table among them: so that one record can purge a table. */
export function withTables(tags: readonly CacheTag[]): readonly CacheTag[] {
  const all = new Set(tags)
  for (const tag of tags) {
    const colon = tag.indexOf(':')
    if (colon > 0) all.add(theOne(tag.slice(0, colon)))
  }
  return [...all]
}

/** The same string for all entries of a table: it is in every one of them, and what is looked at all the time is at hand. */
function theOne(table: CacheTag): CacheTag {
  const known = tables.get(table)
  if (known === undefined && tables.size < MAX_TABLES) tables.set(table, table)
  return known ?? table
}

const tables = new Map<CacheTag, CacheTag>()
const MAX_TABLES = 1000
