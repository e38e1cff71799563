import { Redis } from 'ioredis'
import pg from 'pg'
import { decodeEntry, type Entry } from '../../../src/cache/index.ts'
import {
  createMigratedDatabase,
  createRedisPrefix,
  GraphQLClient,
  queryOnce,
  sharedServers,
  startTestNode,
  type TestDatabase,
  type TestNode,
  testToken,
} from '../../harness/index.ts'
import { HELD_ID } from './known-content.ts'

/** Who asks: nobody in particular, an admin, or the user with this id. */
export type Viewer = 'visitor' | 'admin' | number

/** Two nodes that share Redis, and one that keeps nothing: the oracle. */
export class Fleet {
  readonly nodes: readonly TestNode[]
  readonly oracle: TestNode
  readonly #database: TestDatabase
  readonly #redisPrefix: string
  readonly #redis = new Redis(sharedServers().redisUrl)
  readonly #sqlClients: pg.Client[] = []
  readonly #clients = new Map<string, GraphQLClient>()

  private constructor(parts: {
    nodes: readonly TestNode[]
    oracle: TestNode
    database: TestDatabase
    redisPrefix: string
  }) {
    this.nodes = parts.nodes
    this.oracle = parts.oracle
    this.#database = parts.database
    this.#redisPrefix = parts.redisPrefix
  }

  static async start(): Promise<Fleet> {
    const database = await createMigratedDatabase()
    const redisPrefix = createRedisPrefix()
    // No entry fits into its memory tier, and it has no other.
    const oracle = await startTestNode({
      databaseUrl: database.url,
      environment: { CACHE_MEMORY_MAX_MB: '0.000001', CACHE_RESPONSES: 'off', ...quiet },
    })
    await queryOnce(database.url, CONTENT)
    const shared = { databaseUrl: database.url, redisUrl: sharedServers().redisUrl, redisPrefix }
    // They have no beat to save them.
    const environment = { LOG_BEAT_MS: '60000', WORKER: 'off', ...quiet }
    const nodes = [await startTestNode({ ...shared, environment }), await startTestNode({ ...shared, environment })]
    return new Fleet({ nodes, oracle, database, redisPrefix })
  }

  /** A connection for SQL, whose random() is as repeatable as the rest. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#database.url })
    await client.connect()
    await client.query(`set lock_timeout = '3s'; select setseed(0.5)`)
    this.#sqlClients.push(client)
    return client
  }

  async client(node: TestNode, viewer: Viewer): Promise<GraphQLClient> {
    const name = `${node.url} ${viewer}`
    const client = this.#clients.get(name) ?? new GraphQLClient(node.url, await bearerOf(viewer))
    this.#clients.set(name, client)
    return client
  }

  /** Every entry that Redis holds, once what is on its way is there. */
  async entriesInRedis(): Promise<Entry[]> {
    await Promise.all(this.nodes.map((node) => node.flush()))
    const entries: Entry[] = []
    for await (const keys of this.#redis.scanStream({ match: `${this.#redisPrefix}1:*`, count: 1000 })) {
      const found = keys.length > 0 ? await this.#redis.mgetBuffer(keys) : []
      for (const [index, bytes] of found.entries()) {
        const entry = bytes ? decodeEntry(keys[index], bytes) : undefined
        if (entry) entries.push(entry)
        else if (bytes) throw new Error(`What Redis holds under ${keys[index]} is no entry.`)
      }
    }
    return entries
  }

  async end(): Promise<void> {
    this.#redis.disconnect()
    await Promise.all(this.#sqlClients.map((client) => client.end()))
    await Promise.all([...this.nodes, this.oracle].map((node) => node.close()))
    await this.#database.drop()
  }
}

/** Nothing happens by itself, nor is anything refused. */
const quiet = { RANK_ARTICLES_EVERY: '86400', RATE_LIMIT_MAX: '1000000' }

async function bearerOf(viewer: Viewer): Promise<string | undefined> {
  if (viewer === 'visitor') return undefined
  return viewer === 'admin' ? testToken('admin') : testToken('author', viewer)
}

/** The first user, that user's articles and the first tag are the held transaction's. */
const CONTENT = `
  insert into users (username, display_name, email)
    select 'user' || n, 'User ' || n, 'user' || n || '@example.com' from generate_series(1, 6) n;
  insert into tags (slug, name) select 'tag-' || n, 'Tag ' || n from generate_series(1, 8) n;
  insert into articles (slug, title, body, author_id, status, published_at, created_at)
    select 'article-' || n, 'Article ' || n, 'A fresh proof of **ink** ' || n, 1 + n % 6,
           case when n % 4 = 0 then 'DRAFT' else 'PUBLISHED' end,
           case when n % 4 = 0 then null else timestamptz '2026-01-01Z' + n * interval '17 hours' end, '2026-01-01Z'
      from generate_series(1, 40) n;
  insert into article_tags
    select a.id, t.id from articles a, tags t
     where (a.author_id = ${HELD_ID}) = (t.id = ${HELD_ID}) and (a.author_id = ${HELD_ID} or (a.id + t.id) % 3 = 0);
`
