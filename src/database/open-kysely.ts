import { Kysely } from 'kysely'
import { AuditingDialect } from './audit.ts'
import type { Pool } from './pool.ts'
import type { Tables } from './tables.ts'

/** The query builder over a pool. `onStatement` is called for each SQL statement once it was answered. */
export function openKysely(
  pool: Pool,
  on: SentStatement['on'],
  onStatement?: (statement: SentStatement) => void,
): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: new AuditingDialect({ pool }),
    ...(onStatement && {
      log: ({ query: { sql: text }, queryDurationMillis: ms }) => onStatement({ kind: firstWord(text), text, on, ms }),
    }),
  })
}

export interface SentStatement {
  /** Its first word. */
  readonly kind: string
  /** As it was sent, without the values of its parameters. */
  readonly text: string
  readonly on: 'primary' | 'replica'
  readonly ms: number
}

/** Of a statement that appends an audit record: the word within. */
const firstWord = (text: string): string => /^\s*(?:with written as \()?(\w+)/.exec(text)?.[1]?.toLowerCase() ?? 'other'
