import { Redis } from 'ioredis'
import { lookBeforeTimeout } from './kernel/look-before-timeout.ts'

export interface OpenRedisOptions {
  readonly url: string
  /** How long a command may take, in milliseconds. */
  readonly timeoutMs: number
  readonly onError: (error: Error) => void
}

export interface RedisClients {
  /** For commands: fails at once where it isn't connected, and keeps trying to connect. */
  readonly commands: Redis
  /** For every subscription of the process: goes on trying to connect. */
  readonly subscriber: Redis
  /** Resolves once connected, or when that takes longer than a start should wait: it is only a cache. */
  whenReady(): Promise<void>
  close(): Promise<void>
}

export function openRedis({ url, timeoutMs, onError }: OpenRedisOptions): RedisClients {
  const retryStrategy = (attempt: number) => Math.min(1000, 50 * attempt) * (0.5 + Math.random() / 2)
  const commands = lookBeforeTimeout(
    new Redis(url, {
      retryStrategy,
      commandTimeout: timeoutMs,
      connectTimeout: 2000,
      // Else a client that is broken already would hold its process for two seconds.
      disconnectTimeout: 100,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    }),
  )
  const subscriber = new Redis(url, {
    retryStrategy,
    connectTimeout: 2000,
    disconnectTimeout: 100,
    maxRetriesPerRequest: null,
  })
  for (const client of [commands, subscriber]) client.on('error', onError)
  return {
    commands,
    subscriber,
    whenReady: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, START_TIMEOUT_MS)
        commands.once('ready', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
    close: async () => {
      for (const client of [commands, subscriber]) client.disconnect()
    },
  }
}

const START_TIMEOUT_MS = 1000
