import { type RawBuilder, sql } from 'kysely'

/** An SQL condition: true of a row that has another value than `values` in one of their columns. */
export function differsFrom(values: Readonly<Record<string, unknown>>): RawBuilder<boolean> {
  const conditions = Object.entries(values).map(
    ([column, value]) => sql<boolean>`${sql.ref(column)} is distinct from ${value}`,
  )
  return conditions.length === 0 ? sql`false` : sql`(${sql.join(conditions, sql` or `)})`
}
