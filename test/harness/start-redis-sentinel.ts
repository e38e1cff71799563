import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pingRedis } from './ping-redis.ts'
import { reservePort } from './reserve-port.ts'
import { createServerDirectory, discardServerDirectory } from './server-directory.ts'
import { ServerProcess } from './server-process.ts'
import { getTestRun } from './test-run.ts'

export interface RedisSentinel {
  /** For `REDIS_SENTINELS`. */
  readonly address: string
  readonly admin: Redis
  stop(): Promise<void>
}

/** Starts a sentinel that watches the primary at `port` on 127.0.0.1, and decides by itself. Only where servers run as processes. */
export async function startRedisSentinel(options: {
  readonly name: string
  readonly port: number
  readonly password: string
  /** More of its configuration. */
  readonly lines?: readonly string[]
}): Promise<RedisSentinel> {
  const { directory: runDirectory, redis } = getTestRun()
  if (redis.own?.kind !== 'binaries')
    throw new Error('startRedisSentinel() needs redis-server or valkey-server on PATH')
  const directory = createServerDirectory(runDirectory, 'sentinel')
  const port = await reservePort(runDirectory)
  const { name, password, lines = [] } = options
  const file = join(directory, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `requirepass ${JSON.stringify(password)}`,
      `sentinel monitor ${name} 127.0.0.1 ${options.port} 1`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
      ...lines,
      '',
    ].join('\n'),
  )
  const server = new ServerProcess({
    command: redis.own.path,
    args: [file, '--sentinel'],
    directory,
    ready: () => pingRedis(`redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`),
  })
  await server.start()
  const admin = new Redis({ port, host: '127.0.0.1', password })
  return {
    address: `127.0.0.1:${port}`,
    admin,
    stop: async () => {
      admin.disconnect()
      await server.kill()
      discardServerDirectory(directory)
    },
  }
}
