import { Redis } from 'ioredis'
import { decodeEntry, type Entry } from '../../../src/cache/index.ts'
import { type PostgresServer, sharedServers, TEST_JWT_SECRET, TEST_METRICS_TOKEN } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld } from '../races/article-world.ts'
import { ServedNode } from './served-node.ts'
import { StatementLog } from './statement-log.ts'

/** An article world whose nodes are processes of their own, before a PostgreSQL that writes down what it is asked. */
export interface ServedWorld extends Omit<ArticleWorld, 'startNode'> {
  readonly statements: StatementLog
  readonly redis: Redis
  /** What a command needs to find this world. */
  readonly environment: NodeJS.ProcessEnv
  /** Starts a node. PostgreSQL knows it by its name. */
  serve(name: string, environment?: NodeJS.ProcessEnv): Promise<ServedNode>
  /** Whoever reads the table waits until it is released. */
  holdTable(table: 'articles' | 'users' | 'tags'): Promise<HeldTable>
  /** A write that no trigger tells of, as nobody should make one. */
  behindTheLog(statement: string): Promise<void>
  /** Keys in Redis, without what begins them all. */
  keysInRedis(pattern: string): Promise<string[]>
  entriesInRedis(pattern: string): Promise<Entry[]>
}

export interface HeldTable {
  /** The names of the nodes whose statements wait for it. */
  waiting(): Promise<string[]>
  release(): Promise<void>
}

export async function createServedWorld(postgres: PostgresServer): Promise<ServedWorld> {
  const world = await createArticleWorld(() => postgres.createDatabase())
  const redis = new Redis(sharedServers().redisUrl)
  const nodes: ServedNode[] = []
  const environment = {
    DATABASE_URL: world.database.url,
    REDIS_URL: sharedServers().redisUrl,
    REDIS_KEY_PREFIX: world.redisPrefix,
  }
  const keysInRedis = async (pattern: string) => {
    const keys = await redis.keys(`${world.redisPrefix}${pattern}`)
    return keys.map((key) => key.slice(world.redisPrefix.length)).sort()
  }
  return {
    ...world,
    statements: new StatementLog(postgres.url),
    redis,
    environment,
    async serve(name, more = {}) {
      const url = new URL(world.database.url)
      url.searchParams.set('application_name', name)
      const node = await ServedNode.start(name, {
        ...environment,
        PORT: '0',
        LOG_LEVEL: 'warn',
        AUTH_JWT_SECRET: TEST_JWT_SECRET,
        METRICS_TOKEN: TEST_METRICS_TOKEN,
        DATABASE_URL: url.href,
        ...STEADY,
        ...more,
      })
      nodes.push(node)
      return node
    },
    async holdTable(table) {
      const holder = await world.connect()
      await holder.query(`begin; lock table ${table} in access exclusive mode`)
      return {
        waiting: async () => {
          const rows = await world.sql(
            `select application_name as name from pg_stat_activity join pg_locks using (pid)
              where datname = current_database() and relation = $1::regclass and not granted order by name`,
            [table],
          )
          return rows.map(({ name }) => String(name))
        },
        release: async () => {
          await holder.query('rollback')
        },
      }
    },
    async behindTheLog(statement) {
      await world.sql(`begin; ${statement}; delete from stet.pending where xact = pg_current_xact_id(); commit`)
    },
    keysInRedis,
    async entriesInRedis(pattern) {
      const keys = (await keysInRedis(pattern)).map((key) => world.redisPrefix + key)
      const found = keys.length > 0 ? await redis.mgetBuffer(keys) : []
      return found.flatMap((bytes, index) => (bytes && decodeEntry(keys[index] ?? '', bytes)) ?? [])
    },
    async end() {
      await Promise.all(nodes.map((node) => node.end('SIGKILL')))
      redis.disconnect()
      await world.end()
    },
  }
}

/** Nothing is left to chance, and no whole answer stands before the entries that are watched. */
const STEADY = {
  CACHE_TTL_JITTER: '0',
  CACHE_EARLY_REFRESH: '0',
  CACHE_REFRESH_AHEAD_CONCURRENCY: '0',
  CACHE_RESPONSES: 'off',
  REDIS_TIMEOUT_MS: '10000',
}
