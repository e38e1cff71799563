import { queryOnce } from './query-once.ts'

/** A `Stet-As-Of` that stands for everything committed until now, by hand included. */
export async function currentToken(databaseUrl: string): Promise<string> {
  const [row] = await queryOnce(databaseUrl, `select tip || '.' || epoch as token from stet.sequence()`)
  return String(row?.token)
}
