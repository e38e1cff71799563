import type { Means } from './choose-sources.ts'
import type { RedisServer } from './redis-server.ts'
import { startRedisContainer } from './start-redis-container.ts'
import { startRedisProcess } from './start-redis-process.ts'
import { getTestRun } from './test-run.ts'

export interface StartRedisOptions {
  /** More of redis-server's arguments, such as `['--maxmemory', '4mb']`. */
  readonly args?: readonly string[]
}

/** Starts a server of the test's own. */
export function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const { redis, directory } = getTestRun()
  if (!redis.own) {
    throw new Error(
      'startRedis() needs a server it can kill: install redis-server or valkey-server or run Docker; TEST_REDIS_URL is not enough',
    )
  }
  return startRedisBy(redis.own, directory, options)
}

export function startRedisBy(
  means: Means,
  runDirectory: string,
  { args = [] }: StartRedisOptions,
): Promise<RedisServer> {
  switch (means.kind) {
    case 'binaries':
      return startRedisProcess(means.path, runDirectory, [...keepEverything, ...args])
    case 'containers':
      return startRedisContainer(runDirectory, [...keepEverything, ...args])
    default:
      return means satisfies never
  }
}

/** The append-only file has each write before it is acknowledged, so a kill loses none. */
const keepEverything = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no']
