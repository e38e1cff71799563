import { Kysely, PostgresDialect } from 'kysely'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { queryOnce, TEST_JWT_SECRET, TEST_METRICS_TOKEN } from '../harness/index.ts'
import { ChaosNode } from './chaos-node.ts'
import { installAudit } from './history/audit.ts'
import type { Servers, StartServers } from './servers/servers.ts'
import { Content } from './workload/content.ts'
import { AUTHORS } from './workload/mutations.ts'

/** Three nodes before servers of their own, with a little content. */
export interface World {
  readonly servers: Servers
  readonly nodes: readonly ChaosNode[]
  /** What there is to ask for. */
  readonly content: Content
  end(): Promise<void>
}

export async function startWorld(start: StartServers<Servers>, environment: NodeJS.ProcessEnv = {}): Promise<World> {
  const servers = await start(NODES)
  try {
    await fill(servers.databaseUrl)
    const nodes = await Promise.all(
      Array.from({ length: NODES }, (_, number) =>
        ChaosNode.start(`node ${number}`, {
          ...EVERY_NODE,
          LOG_BEAT_MS: BEATS_MS[number],
          ...servers.environmentOf(number),
          ...environment,
        }),
      ),
    )
    return {
      servers,
      nodes,
      content: new Content(),
      async end() {
        await Promise.all(nodes.map((node) => node.kill()))
        await servers.stop()
      },
    }
  } catch (error) {
    await servers.stop()
    throw error
  }
}

const NODES = 3

/** Entries turn stale while somebody looks, views are ranked, and nobody is refused for asking often. */
const EVERY_NODE = {
  AUTH_JWT_SECRET: TEST_JWT_SECRET,
  METRICS_TOKEN: TEST_METRICS_TOKEN,
  LOG_LEVEL: 'warn',
  RATE_LIMIT_MAX: '10000000',
  RANK_ARTICLES_EVERY: '1',
  QUEUE_FLUSH_MS: '200',
  CACHE_TTL_ARTICLE_LIST: '1',
  CACHE_TTL_ARTICLE: '2',
  CACHE_TTL_TAG: '2',
}

/** The default, and less: so that what a message should have told isn't always found out in time without it. */
const BEATS_MS = ['50', '500', '1000']

async function fill(url: string): Promise<void> {
  const pool = createPool({ url, max: 1, statementTimeoutMs: 0, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  await migrate(db)
  await db.destroy()
  await installAudit(url)
  await queryOnce(
    url,
    `insert into users (username, display_name, email)
       select 'author-' || n, 'Author ' || n, 'author' || n || '@example.com' from generate_series(1, ${AUTHORS}) n;
     insert into tags (slug, name) select 'tag-' || n, 'Tag ' || n from generate_series(1, 5) n;
     insert into articles (slug, title, body, author_id, status, published_at)
       select 'article-' || n, 'Article ' || n, 'Ink ' || n, 1 + n % ${AUTHORS}, 'PUBLISHED', now() - n * interval '1 hour'
         from generate_series(1, 15) n;
     insert into article_tags select a.id, t.id from articles a, tags t where (a.id + t.id) % 3 = 0`,
  )
}
