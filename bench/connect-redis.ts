import { Redis } from 'ioredis'

/** A client that gives up a command after a second. Lost connections are not reported. */
export const connectRedis = (url: string): Redis => new Redis(url, { commandTimeout: 1000 }).on('error', () => {})
