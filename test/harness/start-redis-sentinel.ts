import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
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
}): Promise<RedisSentinel> {
  const { directory: runDirectory, redis } = getTestRun()
  if (redis.own?.kind !== 'binaries')
    throw new Error('startRedisSentinel() needs redis-server or valkey-server on PATH')
  const directory = createServerDirectory(runDirectory, 'sentinel')
  const port = await reservePort(runDirectory)
  const { name, password } = options
  const file = join(directory, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `requirepass ${password}`,
      `sentinel monitor ${name} 127.0.0.1 ${options.port} 1`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
      '',
    ].join('\n'),
  )
  const admin = new Redis({ port, host: '127.0.0.1', password, lazyConnect: true, enableReadyCheck: false })
  admin.on('error', () => {})
  const server = new ServerProcess({
    command: redis.own.path,
    args: [file, '--sentinel'],
    directory,
    ready: () => admin.ping(),
  })
  await server.start()
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
