import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import { lockDirectory } from './directory-lock.ts'
import { inSchema, numericTypes, type Pool } from './pool.ts'

export interface EmbeddedDatabase {
  /** One connection: PGlite runs one statement at a time. */
  readonly pool: Pool
  close(): Promise<void>
}

/**
 * PostgreSQL inside this process (PGlite), its data in `directory`.
 * Throws where another process has it open: two on one directory would silently lose rows.
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
