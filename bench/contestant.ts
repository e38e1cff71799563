import { Redis } from 'ioredis'
import type pg from 'pg'

/** Three processes' worth of one cache, over one PostgreSQL and one Redis. */
export interface Contestant {
  /** The version of a key, as this cache knows it on one of its nodes. */
  read(node: number, key: number): Promise<number>
  /** Counts a key's version up in the database, on one of the nodes, and invalidates. Resolves with the new version. */
  write(node: number, key: number): Promise<number>
  close(): Promise<void>
}

export interface ContestantOptions {
  readonly pool: pg.Pool
  readonly redisUrl: string
  readonly prefix: string
  /** Every message between nodes goes through here: some are lost, all come late. */
  readonly deliver: (message: () => void) => void
  /** Between the reading of a row and the storing of its entry: fills are slow at times. */
  readonly linger: () => Promise<unknown>
}

export const NODES = 3

export const connectRedis = (url: string): Redis => new Redis(url, { commandTimeout: 1000 }).on('error', () => {})
