import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRedisPrefix, getTestRun, reservePort, TEST_JWT_SECRET } from '../../test/harness/index.ts'
import { ContestantProcess } from './contestant-process.ts'
import type { DataSet } from './data-set.ts'
import { formatAnswer, type Reference } from './reference.ts'
import type { GraphQLRequest } from './workloads.ts'

export const CONTESTANTS = [
  'node',
  'fastify',
  'apollo',
  'mercurius',
  'yoga',
  'stet-before',
  'stet',
  'stet+redis',
] as const
export type ContestantName = (typeof CONTESTANTS)[number]

/** What all contestants are given. */
export interface Ring {
  readonly data: DataSet
  /** Where the bench may write files. */
  readonly directory: string
  readonly redisUrl: string | undefined
  /** A checkout of an earlier Stet, built: what `stet-before` is served from. */
  readonly before: string | undefined
  readonly reference: Reference
}

/** True if it executes requests, and doesn't just send what was prepared. */
export const answers = (name: ContestantName): boolean => name !== 'node' && name !== 'fastify'

/** @param request the request whose answer those send that only send */
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
      return startPeer(name === 'node' ? 'node-http' : name, { BENCH_ANSWER: file })
    }
    case 'apollo':
    case 'mercurius':
    case 'yoga':
      return startPeer(name, { BENCH_ROWS: ring.data.file })
    case 'stet-before':
      return startStet(ring, name, ring.before)
    case 'stet':
      return startStet(ring, name, '.')
    case 'stet+redis':
      return startStet(ring, name, '.', { REDIS_URL: ring.redisUrl, REDIS_KEY_PREFIX: createRedisPrefix() })
    default:
      return name satisfies never
  }
}

const startPeer = (name: string, environment: NodeJS.ProcessEnv) =>
  ContestantProcess.start({ name, args: ['--import', TYPESCRIPT, pathOf(name)], environment })

/** Starts `stet serve` from the `dist` of a folder, as an operator does. Needs to know nothing of what is inside. */
async function startStet(
  ring: Ring,
  name: string,
  directory = '.',
  environment: NodeJS.ProcessEnv = {},
): Promise<ContestantProcess> {
  return ContestantProcess.start({
    name,
    args: ['--import', TYPESCRIPT, '--import', pathOf('stet'), 'dist/stet.js', 'serve'],
    directory,
    environment: {
      ...settings,
      ...environment,
      PORT: String(await reservePort(getTestRun().directory)),
      DATABASE_URL: await ring.data.copyDatabase(directory),
    },
  })
}

const TYPESCRIPT = new URL('../../scripts/run-typescript.mjs', import.meta.url).href
const pathOf = (contestant: string) => fileURLToPath(new URL(`contestants/${contestant}.ts`, import.meta.url))

/** Room for all that is asked for, and an hour to live, as the peers have. Everything else has its default. */
const settings = {
  LOG_LEVEL: 'error',
  AUTH_JWT_SECRET: TEST_JWT_SECRET,
  CACHE_MEMORY_MAX_MB: '256',
  CACHE_TTL_ARTICLE: '3600',
  CACHE_TTL_ARTICLE_LIST: '3600',
  CACHE_TTL_USER: '3600',
  CACHE_TTL_TAG: '3600',
}
