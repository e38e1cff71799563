import { type Expression, sql } from 'kysely'
import type { Snapshot } from '../cache/index.ts'
import type { RunQuery } from './database.ts'

export interface ReadAsOf<Row> {
  /** The log's position, as the statement that read the rows saw it. */
  readonly asOf: number
  /** The history that the position belongs to. Undefined while the log is empty. */
  readonly epoch: string | undefined
  /** The statement also saw writes that have no position yet. */
  readonly unsettled: boolean
  readonly rows: readonly Row[]
}

/** Runs a query, and reads the log's position in the same statement, also if there are no rows. */
export async function readAsOf<Row>(run: RunQuery, query: Expression<Row>): Promise<ReadAsOf<Row>> {
  const { rows } = await run(sql<Row & Margin>`
    select as_of.position as "$asOf", as_of.unsettled as "$unsettled", as_of.epoch as "$epoch", read.*
      from stet.as_of left join (select true as "$read", query.* from (${query}) as query) as read on true`)
  const [first] = rows
  if (!first) throw new Error('stet.as_of returned no row.')
  const found = rows.filter((row) => row.$read)
  return {
    asOf: first.$asOf,
    unsettled: first.$unsettled,
    epoch: first.$epoch ?? undefined,
    // What is read beside the row must not be cached with it: it would make equal rows differ.
    rows: found.map(({ $asOf, $unsettled, $epoch, $read, ...row }) => row as unknown as Row),
  }
}

/**
 * The rows in the order of `keys`, with undefined for each key that has none.
 *
 * @throws if a row has a key that is not among `keys`, for example because one of the two is a string
 */
export function inOrderOf<K, Row>(
  keys: readonly K[],
  { rows, asOf, epoch, unsettled }: ReadAsOf<Row>,
  keyOf: (row: Row) => K,
): Snapshot<Row> {
  const byKey = new Map<K, Row | undefined>(keys.map((key) => [key, undefined]))
  for (const row of rows) {
    const key = keyOf(row)
    if (!byKey.has(key)) throw new Error(`A row with the key ${JSON.stringify(key)} was read, which nobody asked for.`)
    byKey.set(key, row)
  }
  return { asOf, epoch, unsettled, values: keys.map((key) => byKey.get(key)) }
}

interface Margin {
  readonly $asOf: number
  readonly $unsettled: boolean
  readonly $epoch: string | null
  readonly $read: true | null
}
