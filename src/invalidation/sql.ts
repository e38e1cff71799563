/**
 * What the log needs of PostgreSQL. A `pg.Pool` is one. HAZARD: it must lead to the primary.
 * @example const client: SqlClient = new pg.Pool({ connectionString: process.env.DATABASE_URL })
 */
export interface SqlClient {
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
}
