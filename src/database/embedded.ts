import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import { lockDirectory } from './directory-lock.ts'
import { inSchema, numericTypes, type Pool } from './pool.ts'

export interface EmbeddedDatabase {
  /** Of one connection, because PGlite runs one statement at a time. */
  readonly pool: Pool
  close(): Promise<void>
}

/**
 * Opens PostgreSQL inside this process (PGlite), with its data in `directory`.
 *
 * @throws if another process has the directory open. HAZARD: two processes on one directory silently lose rows.
 */
export async function openEmbedded(directory: string, schema: string): Promise<EmbeddedDatabase> {
  mkdirSync(directory, { recursive: true })
  const unlock = await lockDirectory(directory)
  try {
    const pglite = await PGlite.create(join(directory, 'postgres'))
    const pool = new pg.Pool({ ...createPgConfig(pglite), max: 1, types: numericTypes, ...inSchema(schema) })
    return {
      pool,
      close: async () => {
        await pool.end()
        await pglite.close()
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}
