import { beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { useContent } from '../../test/harness/use-content.ts'
import { importContent, loadSampleContent } from './import-content.ts'
import { seedContent } from './seed-content.ts'

const content = await useContent()
const other = await useContent()

beforeEach(() => content.clear())

describe('exportContent', () => {
  it('writes what importContent reads back, byte for byte', async () => {
    await loadSampleContent(content.db)
    await seedContent(content.db, { articles: 300 })
    await sql`
      update users set avatar_url = 'https://example.com/a.png', role = 'ADMIN' where username = 'seed-author-2'
    `.execute(content.db)
    await sql`
      update articles set title = title || U&' \\2028 𝒮', updated_at = now() where slug like '%-7'
    `.execute(content.db)
    const first = await content.exportText()
    await content.write('all.jsonl', first)
    const report = await importContent(other.db, content.folder)
    expect(report.outcomes).toMatchObject({ skipped: 0, 'not read': 0 })
    expect(await other.exportText()).toBe(first)
  })
})
