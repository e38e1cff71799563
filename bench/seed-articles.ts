import { seedContent } from '../src/content/index.ts'
import { openDatabases } from '../src/database/open-databases.ts'

/** Fills a migrated database with so many made-up articles, of 40 users and with 50 tags. */
export async function seedArticles(url: string, articles: number): Promise<void> {
  const databases = await openDatabases({
    url,
    dataDirectory: '',
    poolMax: 4,
    statementTimeoutMs: 60_000,
    onError: () => {},
  })
  await seedContent(databases.database.primary, { articles, users: 40, tags: 50 })
  await databases.close()
}
