import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join, relative } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
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

/**
 * Locks a directory for this process.
 *
 * The lock is a listening socket in the directory. The system closes it when its holder dies, however it dies, and a reused
 * process id can't be taken for the holder. Only the socket's file remains, and nobody answers on it.
 *
 * @returns a function that unlocks the directory
 * @throws if a living process has locked it
 */
async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = shortest(join(directory, 'lock'))
  for (let attempt = 0; attempt < 3; attempt++) {
    const server = await listen(path)
    if (server) return release(server, path)
    if (await isAnswered(path)) break
    // Moved aside, then asked again: another process may have put its living socket there since the first question.
    const aside = `${path}.${process.pid}`
    try {
      renameSync(path, aside)
    } catch {
      continue
    }
    if (await isAnswered(aside)) {
      renameSync(aside, path)
      break
    }
    rmSync(aside, { force: true })
  }
  throw new Error(`Another server is using ${directory}: stop it, or set DATA_DIRECTORY or DATABASE_URL.`)
}

/** Returns how to give a lock back. A process that exits without it takes the file away, too. */
function release(server: Server, path: string): () => Promise<void> {
  const onExit = () => rmSync(path, { force: true })
  process.on('exit', onExit)
  return () =>
    new Promise((resolve) => {
      process.off('exit', onExit)
      server.close(() => resolve())
    })
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(path, () => resolve(server))
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The shorter of two ways to say a path: that of a socket may have about 100 bytes. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.length < path.length ? fromHere : path
}
