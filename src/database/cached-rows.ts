import { type RawBuilder, sql } from 'kysely'
import {
  type Cache,
  type CachedKind,
  type CacheTag,
  columnTag,
  type KindDefinition,
  type Policy,
  type Privacy,
  rowTag,
} from '../cache/index.ts'
import type { Database } from './database.ts'
import { inOrderOf, readAsOf } from './read-as-of.ts'
import type { Tables } from './tables.ts'

/** What every cached kind of a table needs. */
export interface CachedTable {
  readonly cache: Cache
  readonly database: Database
  readonly table: keyof Tables
  readonly ttlMs: number
  /** Names the code that declares the kind: `codeOf` its module. */
  readonly code: string
}

/**
 * Rows by id.
 *
 * @param columns the list of a SELECT; a sub-query over another table needs `alsoOn`, which names the tags of what it reads
 * @example cachedRows<Tag>({ cache, database, table: 'tags', ttlMs }, { name: 'tag', columns: sql`id, slug, name` })
 */
export function cachedRows<Row extends { readonly id: number }>(
  { cache, database, table, ttlMs, code }: CachedTable,
  {
    name,
    columns,
    alsoOn = () => [],
    privacy = 'public',
    policy = {},
  }: {
    readonly name: string
    readonly columns: RawBuilder<unknown>
    readonly alsoOn?: (id: number) => CacheTag[]
    readonly privacy?: Privacy | ((row: Row | undefined) => Privacy)
    readonly policy?: Partial<Policy>
  },
): CachedKind<number, Row> {
  return cache.kind<number, Row>({
    name,
    ttlMs,
    ...policy,
    privacy,
    madeOf: [code],
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
export const cachedIds = (
  table: CachedTable,
  { name, column }: { readonly name: string; readonly column: string },
): CachedKind<string, number> => cachedBy<number>(table, { name, column, value: sql`id`, isValue: isWhole })

/** What rows hold, by a unique text column. `value` must depend on watched columns alone, as `column` must. */
export function cachedBy<V>(
  { cache, database, table, ttlMs, code }: CachedTable,
  { column, value, ...own }: CachedByOptions<V>,
): CachedKind<string, V> {
  return cache.kind<string, V>({
    ...own,
    ttlMs,
    madeOf: [code],
    key: (key) => key,
    parseKey: (text) => text,
    tags: (key) => [columnTag(table, column, key)],
    load: async (keys, source) => {
      const query = sql<{ key: string; value: V }>`
        select ${sql.ref(column)} as key, ${value} as value from ${sql.table(table)} where ${isAmong(column, keys)}`
      const read = inOrderOf(keys, await readAsOf(database.loader(source), query), (row) => row.key)
      return { ...read, values: read.values.map((row) => row?.value) }
    },
  })
}

interface CachedByOptions<V> extends Pick<KindDefinition<string, V>, 'name' | 'isValue' | 'privacy'> {
  readonly column: string
  readonly value: RawBuilder<V>
}

/** Whether `value` is an id or a count. */
export const isWhole = (value: unknown): boolean => Number.isSafeInteger(value)

/** One value is compared with `=`: PostgreSQL keeps the plan of that. For `any` it may make one at each call. */
const isAmong = (column: string, values: readonly unknown[]): RawBuilder<boolean> =>
  values.length === 1 ? sql`${sql.ref(column)} = ${values[0]}` : sql`${sql.ref(column)} = any(${values})`
