import { beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { useContent } from '../../test/harness/use-content.ts'
import { loadSampleContent } from './import-content.ts'
import { seedContent } from './seed-content.ts'

const content = await useContent()
const other = await useContent()

beforeEach(() => content.clear())

describe('seedContent', () => {
  it('makes the same content everywhere, and can go on where it stopped', async () => {
    await seedContent(content.db, { articles: 2500, users: 20, tags: 30 })
    await seedContent(other.db, { articles: 700, users: 20, tags: 30 })
    const { articles } = await seedContent(other.db, { articles: 2500, users: 20, tags: 30 })
    expect(articles).toBe(1800)
    expect(sorted(await other.exportText())).toEqual(sorted(await content.exportText()))
    expect(await seedContent(content.db, { articles: 2500, users: 20, tags: 30 })).toEqual({
      users: 0,
      tags: 0,
      articles: 0,
    })
  })

  it('has a few tags that are everywhere, some drafts, and 2 KB bodies', async () => {
    await seedContent(content.db, { articles: 2000 })
    const { rows } = await sql<{ drafts: number; tags: number; bytes: number; share: number }>`
      select avg((status = 'DRAFT')::int)::float as drafts, avg(length(body))::float as bytes,
             (select count(*) from article_tags) / 2000.0::float as tags,
             (select max(count) / 2000.0::float from (select count(*) from article_tags group by tag_id) x) as share
        from articles
    `.execute(content.db)
    expect(rows[0]?.drafts).toBeCloseTo(0.05, 1)
    expect(rows[0]?.tags).toBeCloseTo(3, 0)
    expect(rows[0]?.bytes).toBeGreaterThan(1800)
    expect(rows[0]?.share).toBeGreaterThan(0.3)
  })
})

describe('loadSampleContent', () => {
  it('opens the shop window: 60 articles, 12 authors, 25 tags, and no problem', async () => {
    expect(await loadSampleContent(content.db)).toEqual(
      expect.objectContaining({
        articles: { created: 60, updated: 0, unchanged: 0 },
        users: { created: 12, updated: 0, unchanged: 0 },
        tags: { created: 25, updated: 0, unchanged: 0 },
        outcomes: { imported: 93, draft: 4, skipped: 0, 'not read': 0 },
      }),
    )
    const { rows } = await sql<{ drafts: number; past: boolean; idle: number; unused: number }>`
      select count(*) filter (where status = 'DRAFT') as drafts, max(published_at) < '2026-11-01' as past,
             (select count(*) from users where id not in (select author_id from articles)) as idle,
             (select count(*) from tags where id not in (select tag_id from article_tags)) as unused
        from articles
    `.execute(content.db)
    expect(rows).toEqual([{ drafts: 4, past: true, idle: 0, unused: 0 }])
  })
})

function sorted(lines: string): string[] {
  return lines.split('\n').sort()
}
