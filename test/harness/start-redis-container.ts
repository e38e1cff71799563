import { pingRedis } from './ping-redis.ts'
import type { RedisServer } from './redis-server.ts'
import { reservePort } from './reserve-port.ts'
import { startContainer } from './server-container.ts'

/** Starts Redis in Docker. */
export async function startRedisContainer(runDirectory: string, args: readonly string[]): Promise<RedisServer> {
  const { GenericContainer } = await import('testcontainers')
  const port = await reservePort(runDirectory)
  const urlAt = (host: string) => `redis://${host}:${port}`
  const container = await startContainer({
    container: new GenericContainer('redis:7')
      .withExposedPorts({ container: 6379, host: port })
      .withEntrypoint(['bash', '-c', emptyIfAsked, 'redis'])
      .withCommand(['--protected-mode', 'no', '--dir', '/data', ...args]),
    ready: (host) => pingRedis(urlAt(host)),
  })
  return {
    url: urlAt(container.host),
    kill: () => container.kill(),
    pause: () => container.pause(),
    resume: () => container.resume(),
    async restart({ keepData }) {
      await container.kill()
      if (!keepData) await container.putFile(request)
      await container.restart({ stopWith: 'SIGKILL' })
    },
    stop: () => container.remove(),
  }
}

/** Nothing can be run in a container that has been killed, but a file can be put there for its next start. */
const request = '/tmp/start-empty'
const emptyIfAsked = `if [ -e ${request} ]; then rm -rf /data/* ${request}; fi; exec redis-server "$@"`
