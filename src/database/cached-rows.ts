import { type RawBuilder, sql } from 'kysely'
import { type Cache, type CachedKind, type CacheTag, columnTag, type Policy, rowTag } from '../cache/index.ts'
import type { Database } from './database.ts'
import { inOrderOf, readAsOf } from './read-as-of.ts'
import type { Tables } from './tables.ts'

/** What every cached kind of a table needs. */
export interface CachedTable {
  readonly cache: Cache
  readonly database: Database
  readonly table: keyof Tables
  readonly ttlMs: number
}

/**
 * Rows by id.
 *
 * @param columns the list of a SELECT; a sub-query over another table needs `alsoOn`, which names the tags of what it reads
 * @example cachedRows<Tag>({ cache, database, table: 'tags', ttlMs }, { name: 'tag', columns: sql`id, slug, name` })
 */
export function cachedRows<Row extends { readonly id: number }>(
  { cache, database, table, ttlMs }: CachedTable,
  {
    name,
    columns,
    alsoOn = () => [],
    policy = {},
  }: {
    readonly name: string
    readonly columns: RawBuilder<unknown>
    readonly alsoOn?: (id: number) => CacheTag[]
    readonly policy?: Partial<Policy>
  },
): CachedKind<number, Row> {
  return cache.kind<number, Row>({
    name,
    ttlMs,
    ...policy,
    madeOf: [table, columns.toOperationNode(), alsoOn],
    key: String,
    parseKey: Number,
    tags: (id) => [rowTag(table, id), ...alsoOn(id)],
    load: async (ids, source) => {
      const query = sql<Row>`select ${columns} from ${sql.table(table)} where ${isAmong('id', ids)}`
      return inOrderOf(ids, await readAsOf(database.loader(source), query), (row) => row.id)
    },
    isValue: (value, id) => typeof value === 'object' && value !== null && 'id' in value && value.id === id,
  })
}

/** Ids by a unique text column, which must be among the `columns` that `stet.watch` watches. */
export function cachedIds(
  { cache, database, table, ttlMs }: CachedTable,
  { name, column }: { readonly name: string; readonly column: string },
): CachedKind<string, number> {
  return cache.kind<string, number>({
    name,
    ttlMs,
    madeOf: [table, column],
    key: (value) => value,
    parseKey: (text) => text,
    tags: (value) => [columnTag(table, column, value)],
    load: async (values, source) => {
      const query = sql<{ id: number; value: string }>`
        select id, ${sql.ref(column)} as value from ${sql.table(table)} where ${isAmong(column, values)}`
      const read = inOrderOf(values, await readAsOf(database.loader(source), query), (row) => row.value)
      return { ...read, values: read.values.map((row) => row?.id) }
    },
    isValue: isWhole,
  })
}

/** Whether `value` is an id or a count. */
export const isWhole = (value: unknown): boolean => Number.isSafeInteger(value)

/** One value is compared with `=`: PostgreSQL keeps the plan of that. For `any` it may make one at each call. */
const isAmong = (column: string, values: readonly unknown[]): RawBuilder<boolean> =>
  values.length === 1 ? sql`${sql.ref(column)} = ${values[0]}` : sql`${sql.ref(column)} = any(${values})`
