import type pg from 'pg'

/** A cache of three nodes in this process, over one PostgreSQL and one Redis. */
export interface Contestant {
  /** Reads the version of a key on one of the nodes. */
  read(node: number, key: number): Promise<number>
  /** Adds one to a key's version, in the database, on one of the nodes, and invalidates it. Resolves with the new version. */
  write(node: number, key: number): Promise<number>
  close(): Promise<void>
}

export interface ContestantOptions {
  readonly pool: pg.Pool
  readonly redisUrl: string
  readonly prefix: string
  /** Every message between nodes goes through this: some are lost, and all are late. */
  readonly deliver: (message: () => void) => void
  /** To be awaited between reading a row and storing its entry: some fills are slow. */
  readonly linger: () => Promise<unknown>
}

export const NODES = 3
