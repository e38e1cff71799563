import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pingRedis } from './ping-redis.ts'
import type { RedisServer } from './redis-server.ts'
import { reservePort } from './reserve-port.ts'
import { createServerDirectory, discardServerDirectory } from './server-directory.ts'
import { ServerProcess } from './server-process.ts'

/** Starts Redis or Valkey from the program at `command`. */
export async function startRedisProcess(
  command: string,
  runDirectory: string,
  args: readonly string[],
): Promise<RedisServer> {
  const directory = createServerDirectory(runDirectory, 'redis')
  const data = join(directory, 'data')
  mkdirSync(data)
  const port = await reservePort(runDirectory)
  const url = `redis://127.0.0.1:${port}`
  const server = new ServerProcess({
    command,
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', data, ...args],
    directory,
    ready: () => pingRedis(url),
  })
  const discard = async () => {
    await server.kill()
    discardServerDirectory(directory)
  }
  try {
    await server.start()
  } catch (error) {
    await discard()
    throw error
  }
  return {
    url,
    kill: () => server.kill(),
    pause: async () => server.pause(),
    resume: async () => server.resume(),
    async restart({ keepData }) {
      await server.kill()
      if (!keepData) {
        rmSync(data, { recursive: true })
        mkdirSync(data)
      }
      await server.start()
    },
    stop: discard,
  }
}
