import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRedisPrefix, TEST_JWT_SECRET } from '../../test/harness/index.ts'
import { ContestantProcess } from './contestant-process.ts'
import type { DataSet } from './data-set.ts'
import { formatAnswer, type Reference } from './reference.ts'
import type { GraphQLRequest } from './workloads.ts'

export const CONTESTANTS = ['node', 'fastify', 'apollo', 'mercurius', 'yoga', 'stet', 'stet+redis'] as const
export type ContestantName = (typeof CONTESTANTS)[number]

/** What all contestants are given. */
export interface Ring {
  readonly data: DataSet
  /** For files. */
  readonly directory: string
  readonly redisUrl: string | undefined
  readonly reference: Reference
}

/** Those that answer, and don't just send what was prepared. */
export const answers = (name: ContestantName): boolean => name !== 'node' && name !== 'fastify'

/** @param request what those that only send are to send the answer to */
export async function startContestant(
  ring: Ring,
  name: ContestantName,
  request: GraphQLRequest,
): Promise<ContestantProcess> {
  switch (name) {
    case 'node':
    case 'fastify': {
      const file = join(ring.directory, 'answer')
      writeFileSync(file, formatAnswer(await ring.reference(request)))
      return ContestantProcess.start(name === 'node' ? 'node-http' : name, { BENCH_ANSWER: file })
    }
    case 'apollo':
    case 'mercurius':
    case 'yoga':
      return ContestantProcess.start(name, { BENCH_ROWS: ring.data.file })
    case 'stet':
    case 'stet+redis':
      return ContestantProcess.start('stet', {
        ...settings,
        DATABASE_URL: await ring.data.copyDatabase(),
        ...(name === 'stet+redis' && { REDIS_URL: ring.redisUrl, REDIS_KEY_PREFIX: createRedisPrefix() }),
      })
    default:
      return name satisfies never
  }
}

/** Room for all that is asked for, and an hour to live, as the peers have. The rest is as it comes. */
const settings = {
  PORT: '0',
  LOG_LEVEL: 'error',
  AUTH_JWT_SECRET: TEST_JWT_SECRET,
  CACHE_MEMORY_MAX_MB: '256',
  CACHE_TTL_ARTICLE: '3600',
  CACHE_TTL_ARTICLE_LIST: '3600',
  CACHE_TTL_USER: '3600',
  CACHE_TTL_TAG: '3600',
}
