import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { getTestRun } from './test-run.ts'

/** Stands before every key and channel of one test on the shared Redis. Such a test must not FLUSHALL. */
export function createRedisPrefix(): string {
  return `${prefixOfRun(getTestRun().id)}${randomBytes(6).toString('hex')}:`
}

/** Removes what this run left on a server that outlives it. */
export async function deleteKeysOfRun(serverUrl: string, runId: string): Promise<void> {
  const redis = new Redis(serverUrl)
  try {
    for await (const keys of redis.scanStream({ match: `${prefixOfRun(runId)}*`, count: 1000 })) {
      if (keys.length > 0) await redis.unlink(...keys)
    }
  } finally {
    redis.disconnect()
  }
}

function prefixOfRun(runId: string): string {
  return `stet-test:${runId}:`
}
