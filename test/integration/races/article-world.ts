import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { migrate } from '../../../src/database/migrate.ts'
import { createPool } from '../../../src/database/pool.ts'
import type { Tables } from '../../../src/database/tables.ts'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import {
  createMigratedDatabase,
  createRedisPrefix,
  currentToken,
  type GraphQLClient,
  queryOnce,
  sharedServers,
  startTestNode,
  type TestDatabase,
  type TestNode,
  type TestNodeOptions,
} from '../../harness/index.ts'
import { type ReplyGate, startReplyGate } from './reply-gate.ts'

/** A database that holds two published articles, both titled "old", and nodes before it. */
export interface ArticleWorld {
  readonly database: TestDatabase
  readonly redisPrefix: string
  /** A node of this world. It has no beat to save it: what it isn't told, it must find out for itself. */
  startNode(options?: Partial<TestNodeOptions>): Promise<TestNode>
  /** What goes through it can be held or lost. */
  startGate(serverUrl: string): Promise<ReplyGate>
  /** A connection for SQL that nothing of ours sees. */
  connect(): Promise<pg.Client>
  sql(text: string, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** The token that covers every write committed so far. */
  token(): Promise<string>
  /** Closes what was opened, and drops the database. */
  end(): Promise<void>
}

export async function createArticleWorld(
  createDatabase: () => Promise<TestDatabase> = createMigratedDatabase,
): Promise<ArticleWorld> {
  const database = await createDatabase()
  const redisPrefix = createRedisPrefix()
  const opened: (() => Promise<unknown>)[] = []
  await fill(database.url)
  return {
    database,
    redisPrefix,
    async startNode(options = {}) {
      const node = await startTestNode({
        databaseUrl: database.url,
        redisUrl: sharedServers().redisUrl,
        redisPrefix,
        ...options,
        environment: { LOG_BEAT_MS: '60000', ...options.environment },
      })
      opened.push(node.close)
      return node
    },
    async startGate(serverUrl) {
      const gate = await startReplyGate(serverUrl)
      opened.push(() => gate.close())
      return gate
    },
    async connect() {
      const client = new pg.Client({ connectionString: database.url })
      client.on('error', () => {})
      await client.connect()
      opened.push(() => client.end())
      return client
    },
    sql: (text, values) => queryOnce(database.url, text, values),
    token: () => currentToken(database.url),
    async end() {
      for (let close = opened.pop(); close; close = opened.pop()) await close()
      await database.drop()
    },
  }
}

/** The first article's title, as `viewer` sees it. */
export async function readTitle(viewer: GraphQLClient, token?: string | null): Promise<string | undefined> {
  const { data, errors } = await askTitle(viewer, token)
  if (errors[0]) throw new Error(errors[0].message)
  return data.article?.title
}

export function askTitle(viewer: GraphQLClient, token?: string | null) {
  const query = 'query ($id: ID!) { article(id: $id) { title } }'
  return viewer.send<{ article: { title: string } | null }>(query, { id: toGlobalId('Article', 1) }, asOf(token))
}

/**
 * Gives an article another title, through a mutation. Returns the title in its payload, and the token of the answer.
 * @param tags where they are set too, it takes a transaction of several statements
 */
export async function writeTitle(viewer: GraphQLClient, title: string, id = 1, tags?: readonly string[]) {
  const query = 'mutation ($input: UpdateArticleInput!) { updateArticle(input: $input) { article { title } } }'
  const input = { id: toGlobalId('Article', id), title, tags }
  const answer = await viewer.send<{ updateArticle: { article: { title: string } } }>(query, { input })
  if (answer.errors[0]) throw new Error(answer.errors[0].message)
  return { title: answer.data.updateArticle.article.title, token: answer.token ?? '' }
}

export const asOf = (token: string | null | undefined): Record<string, string> => (token ? { 'stet-as-of': token } : {})

/** What asks PostgreSQL for the article's row. */
export const ROW_READ = /from "articles" where "id" = (?!.*for no key update)/

/** What changes an article, and commits. */
export const ROW_WRITE = /update "articles"/

async function fill(url: string): Promise<void> {
  const pool = createPool({ url, max: 1, statementTimeoutMs: 0, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  await migrate(db)
  await db.destroy()
  await queryOnce(url, `insert into users (username, display_name, email) values ('ada', 'Ada', 'ada@example.com')`)
  await queryOnce(
    url,
    `insert into articles (slug, title, body, status, author_id, published_at)
     select slug, 'old', 'Body', 'PUBLISHED', 1, now() from unnest(array['one', 'two']) as slug`,
  )
}
