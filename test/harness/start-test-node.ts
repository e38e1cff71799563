import { readConfig } from '../../src/app/config.ts'
import type * as main from '../../src/app/start-node.ts'
import { signToken } from '../../src/identity/sign-token.ts'
import { createLogger } from '../../src/kernel/logger.ts'
import { currentToken } from './current-token.ts'
import { GraphQLClient } from './graphql-client.ts'
import { TEST_METRICS_TOKEN } from './read-metric.ts'

/** Shared by all nodes of a test, so that a token is good on each of them. */
export const TEST_JWT_SECRET = 'a secret for tests, shared by every node'

export interface TestNode extends main.Node {
  /** A visitor on this node. */
  readonly visitor: GraphQLClient
  readonly admin: GraphQLClient
  /** @param userId row id */
  author(userId: number): Promise<GraphQLClient>
  /** Waits until the node knows of everything committed until now: what is written by hand is a beat away from it. */
  catchUp(): Promise<void>
}

export interface TestNodeOptions {
  readonly databaseUrl: string
  /** Absent: the memory tier alone. */
  readonly redisUrl?: string | undefined
  /** Nodes with the same prefix share their entries. */
  readonly redisPrefix?: string
  /** From what was built, as the command line runs it: keys hold the text of functions, which each compiler writes in its way. */
  readonly built?: boolean
  /** More of the environment that the node reads. */
  readonly environment?: NodeJS.ProcessEnv
}

/** A node in this process, on a port of its own, wired like any other. */
export async function startTestNode({
  databaseUrl,
  redisUrl,
  redisPrefix,
  built = false,
  environment,
}: TestNodeOptions): Promise<TestNode> {
  const config = readConfig({
    PORT: '0',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: redisPrefix,
    REDIS_TIMEOUT_MS: PATIENT_MS,
    METRICS_TOKEN: TEST_METRICS_TOKEN,
    INTROSPECTION: 'on',
    ...environment,
  })
  // Here, so that a suite without nodes doesn't wait until a whole server is loaded.
  const { startNode }: typeof main = await import(built ? BUILT : SOURCE)
  const node = await startNode({ config, logger: createLogger(config.logLevel) })
  const admin = new GraphQLClient(node.url, await testToken('admin'))
  return {
    ...node,
    visitor: new GraphQLClient(node.url),
    admin,
    author: async (userId) => new GraphQLClient(node.url, await testToken('author', userId)),
    catchUp: async () => {
      await admin.get('{ viewer { id } }', {}, { 'stet-as-of': await currentToken(databaseUrl) })
    },
  }
}

/** A machine that runs tests may be busy, which is not what a test is about. */
const PATIENT_MS = '10000'

const SOURCE = '../../src/app/start-node.ts'
const BUILT = '../../dist/start-node.js'

/** Also valid where a clock is an hour off. */
export const testToken = (role: 'admin' | 'author', userId?: number): Promise<string> =>
  signToken(TEST_JWT_SECRET, { role, userId, expiresInSeconds: 4 * 3600 })
