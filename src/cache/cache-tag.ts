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
 */
export type CacheTag = string

export const rowTag = (table: string, key: string | number): CacheTag => `${table}:${key}`

export const columnTag = (table: string, column: string, value: string | number | null): CacheTag =>
  `${table}:${column}=${value}`

export const fieldTag = (table: string, field: string): CacheTag => `${table}:${field}`

export const anyRowTag = (table: string): CacheTag => `${table}:*`

export const anyWriteTag = (table: string): CacheTag => `${table}:any`

/** `tag`, written to the log to say: what depends on it may be served once more while it refreshes. */
export const softly = (tag: CacheTag): CacheTag => `~${tag}`

/** `tags` once each, with the tag of every table among them: so that one record can purge a table. */
export function withTables(tags: readonly CacheTag[]): readonly CacheTag[] {
  const all = new Set(tags)
  for (const tag of tags) {
    const colon = tag.indexOf(':')
    if (colon > 0) all.add(tag.slice(0, colon))
  }
  return [...all]
}
