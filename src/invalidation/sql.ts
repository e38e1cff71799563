/** What invalidation asks of PostgreSQL: a `pg.Pool` will do. It must speak to the primary. */
export interface SqlClient {
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
}
