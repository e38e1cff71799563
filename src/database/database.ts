import { Kysely, PostgresDialect } from 'kysely'
import type { Source } from '../cache/index.ts'
import type { Pool } from './pool.ts'
import type { Tables } from './tables.ts'

/** The primary, and a replica to read from where there is one. */
export class Database {
  readonly primary: Kysely<Tables>
  readonly #replica: Kysely<Tables>

  /** @param options.onStatement called for every SQL statement that goes through here, with its first word */
  constructor(options: {
    readonly primary: Pool
    readonly replica?: Pool | undefined
    readonly onStatement?: (kind: string) => void
  }) {
    const { onStatement } = options
    const open = (pool: Pool) =>
      new Kysely<Tables>({
        dialect: new PostgresDialect({ pool }),
        ...(onStatement && { log: (event) => onStatement(firstWord(event.query.sql)) }),
      })
    this.primary = open(options.primary)
    this.#replica = options.replica ? open(options.replica) : this.primary
  }

  /** The database to read from: the replica, unless it must be the primary. */
  reader(source: Source): Kysely<Tables> {
    return source === 'primary' ? this.primary : this.#replica
  }
}

const firstWord = (text: string): string => /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? 'other'
