import { Redis } from 'ioredis'
import { decodeEntry, type Entry } from '../src/cache/index.ts'
import { seedContent } from '../src/content/index.ts'
import { openDatabases } from '../src/database/open-databases.ts'
import { createRedisPrefix, createTestDatabase, sharedServers, startTestNode } from '../test/harness/index.ts'

/** Real entries by kind: what a server has stored in Redis after it was asked for most of what can be asked. */
export async function storedEntries(): Promise<ReadonlyMap<string, readonly Entry[]>> {
  const database = await createTestDatabase()
  const { redisUrl } = sharedServers()
  const redisPrefix = createRedisPrefix()
  const node = await startTestNode({ databaseUrl: database.url, redisUrl, redisPrefix })
  const redis = new Redis(redisUrl)
  try {
    await seed(database.url)
    for (const query of QUERIES) await node.visitor.get(query)
    const { articles } = await node.visitor.get<Slugs>('{ articles(first: 100) { nodes { slug } } }')
    for (const { slug } of articles.nodes) await node.visitor.get(`{ article(slug: "${slug}") { title } }`)
    await node.flush()
    const kinds = new Map<string, Entry[]>()
    for (const key of (await redis.keys(`${redisPrefix}*`)).sort()) {
      const bytes = await redis.getBuffer(key)
      const entry = bytes && decodeEntry(key, bytes)
      if (!entry) continue
      // <prefix>1:<kind>.<hash of its definition>:<key>
      const [, kind] = /:([a-z-]+)\.[\w-]+:/.exec(key) ?? []
      if (kind === undefined) throw new Error(`The key ${key} names no kind of entry.`)
      const name = entry.value === undefined ? 'nothing (negative entries)' : kind
      kinds.set(name, [...(kinds.get(name) ?? []), entry])
    }
    return kinds
  } finally {
    redis.disconnect()
    await node.close()
    await database.drop()
  }
}

async function seed(url: string): Promise<void> {
  const options = {
    dataDirectory: '',
    poolMax: 4,
    statementTimeoutMs: 60_000,
    onError: () => {},
  }
  const databases = await openDatabases({ url, ...options })
  await seedContent(databases.database.primary, { articles: 1000, users: 40, tags: 50 })
  await databases.close()
}

interface Slugs {
  readonly articles: { readonly nodes: readonly { readonly slug: string }[] }
}

const NUMBERS = Array.from({ length: 200 }, (_, index) => index + 1)
const PAGE = 'nodes { bodyHtml viewCount author { displayName } tags { name articleCount } } totalCount'
const QUERIES = [
  ...['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED'].map((by) => `{ articles(first: 20, orderBy: ${by}) { ${PAGE} } }`),
  ...NUMBERS.slice(0, 25).map((n) => `{ articles(first: 20, filter: { tag: "seed-tag-${n}" }) { ${PAGE} } }`),
  ...NUMBERS.slice(0, 25).map((n) => `{ articles(first: 20, filter: { author: "seed-author-${n}" }) { ${PAGE} } }`),
  ...NUMBERS.map((n) => `{ article(slug: "no-such-article-${n}") { id } tag(slug: "seed-tag-${n}") { id } }`),
]
