import { Redis } from 'ioredis'

/** Resolves if the server answers commands now, rejects if it is gone or still loading its data. */
export async function pingRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 })
  redis.on('error', () => {}) // `connect` rejects with it
  try {
    await redis.connect()
    await redis.ping()
  } finally {
    // A second goodbye to a connection that has failed would keep a timer, and with it the process, for two seconds.
    if (redis.status === 'ready') redis.disconnect()
  }
}
