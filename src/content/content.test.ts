import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { createTestDatabase } from '../../test/harness/index.ts'
import { migrate } from '../database/migrate.ts'
import { createPool } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'
import { exportContent } from './export-content.ts'
import { importContent, loadSampleContent } from './import-content.ts'
import { seedContent } from './seed-content.ts'

const dropped: (() => Promise<void>)[] = []
let db: Kysely<Tables>
let folder: string

beforeEach(async () => {
  db = await openDatabase()
  folder = await mkdtemp(path.join(tmpdir(), 'stet-content-'))
  dropped.push(() => rm(folder, { recursive: true }))
})

afterEach(async () => {
  for (const drop of dropped.splice(0)) await drop()
})

describe('importContent', () => {
  it('imports a folder, with its authors and tags', async () => {
    await write(
      'posts/salt/index.md',
      '---\ntitle: Salt\ndate: 2024-05-01\nauthor: Ada L.\ntags: [Sea, Food]\nviews: 7\n---\nA rock.',
    )
    await write('posts/2024-02-03-bread.md', '---\nauthor: Ada L.\ntags: food\n---\nFlour and time.')
    await write('notes/idea.md', '---\ndraft: true\ndate: 2024-01-01\n---\n')
    await write('.obsidian/hidden.md', 'Hidden')
    await write('node_modules/x/README.md', 'Hidden')
    await write('blog/_index.md', 'A section')
    const progress: unknown[] = []
    expect(await importContent(db, folder, { onProgress: (step) => progress.push(step) })).toMatchObject({
      articles: { created: 3, updated: 0, unchanged: 0 },
      users: { created: 2 },
      tags: { created: 2 },
      problemCount: 0,
    })
    expect(progress.at(-1)).toEqual({ done: 3, total: 3 })
    const lines = await exported(db)
    expect(lines).toContainEqual(
      expect.objectContaining({
        slug: 'salt',
        author: 'ada-l',
        tags: ['food', 'sea'],
        status: 'PUBLISHED',
        publishedAt: '2024-05-01T00:00:00.000000Z',
        updatedAt: '2024-05-01T00:00:00.000000Z',
        views: 7,
      }),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({ username: 'ada-l', displayName: 'Ada L.', email: 'ada-l@example.invalid' }),
    )
    expect(lines).toContainEqual(expect.objectContaining({ slug: 'idea', status: 'DRAFT', publishedAt: null }))
  })

  it('touches only what changed when it is run again', async () => {
    for (const name of ['a', 'b', 'c']) await write(`${name}.md`, `---\ntags: [x, y]\nviews: 3\n---\nText of ${name}`)
    await importContent(db, folder)
    await sql`delete from stet.pending`.execute(db)
    await write('b.md', '---\ntags: [x, y]\nviews: 3\n---\nAnother text')
    await write('c.md', '---\ntags: [y, z]\nviews: 2\n---\nText of c')
    expect(await importContent(db, folder)).toMatchObject({
      articles: { created: 0, updated: 2, unchanged: 1 },
      tags: { created: 1 },
      problemCount: 0,
    })
    const versions = await db.selectFrom('articles').select(['slug', 'version']).orderBy('slug').execute()
    expect(versions).toEqual([
      { slug: 'a', version: 1 },
      { slug: 'b', version: 2 },
      { slug: 'c', version: 1 },
    ])
    const { rows } = await sql<{ tag: string }>`select unnest(tags) as tag from stet.pending`.execute(db)
    const a = await db.selectFrom('articles').select('id').where('slug', '=', 'a').executeTakeFirstOrThrow()
    expect(rows.map((row) => row.tag)).not.toContain(`articles:${a.id}`)
    expect(rows.map((row) => row.tag)).not.toContain('articles:*')
  })

  it('writes nothing at all when nothing changed', async () => {
    await write(
      'users.jsonl',
      '{"type":"user","username":"ada","bio":"Writes"}\n{"type":"tag","slug":"x","name":"X"}\n',
    )
    await write('a.md', '---\ntags: [x]\nauthor: ada\nviews: 3\n---\nText')
    await importContent(db, folder)
    await sql`delete from stet.pending`.execute(db)
    expect(await importContent(db, folder)).toMatchObject({
      articles: { unchanged: 1, updated: 0 },
      users: { unchanged: 1, updated: 0 },
      tags: { unchanged: 1, updated: 0 },
    })
    expect((await sql`select tags from stet.pending`.execute(db)).rows).toEqual([])
  })

  it('reports bad files and lines by name and line number, and imports the rest', async () => {
    await write('good.md', '---\ntitle: Good\n---\nText')
    await write('bad-yaml.md', '---\ntitle: Bad\ntags: [a\n---\nText')
    await write('no-body.md', '---\ntitle: Nothing\n---\n')
    await write('bad-date.md', '---\ntitle: When\ndate: yesterday\n---\nText')
    await write('latin1.md', Buffer.from([0x63, 0x61, 0x66, 0xe9]))
    await write('twice/good.md', 'Text')
    await write(
      'people.jsonl',
      [
        '{"type":"user","username":"ada","email":"ada@example.com"}',
        '{"type":"user"',
        '{"type":"user","username":"impostor","email":"ADA@example.com"}',
        '',
        '{"type":"planet","slug":"mars"}',
        '{"type":"article","slug":"lone","title":"Lone","body":"half of \\ud83d a pair","author":"ada","publishedAt":"2024-01-01"}',
        '{"type":"user","username":"bo","email":"bo@example.com"}',
      ].join('\n'),
    )
    const report = await importContent(db, folder)
    expect(report.articles.created).toBe(2)
    expect(report.users.created).toBe(3)
    expect(report.notes).toEqual([
      { file: 'twice/good.md', line: 1, message: 'has the slug "twice-good", made from its path' },
    ])
    const found = report.problems.map(({ file, line, message }) => `${file}:${line} ${message}`).sort()
    expect(found).toEqual([
      expect.stringMatching(/^bad-date.md:3 date is not a date: "yesterday"/),
      expect.stringMatching(/^bad-yaml.md:\d front matter is not valid YAML/),
      expect.stringMatching(/^latin1.md:1 is not UTF-8 text/),
      expect.stringMatching(/^no-body.md:4 has no body/),
      expect.stringMatching(/^people.jsonl:2 is not JSON/),
      expect.stringMatching(/^people.jsonl:3 has another user's e-mail address$/),
      expect.stringMatching(/^people.jsonl:5 type should be one of user, tag, article, not "planet"/),
      expect.stringMatching(/^people.jsonl:6 body holds NUL .* or half a surrogate pair/),
    ])
  })

  it('brings in files of one name from several sections and locales, with slugs made from their paths', async () => {
    await write('posts/salt.md', 'Posts')
    await write('notes/salt.md', 'Notes')
    await write('de/sea/index.md', 'Deutsch')
    await write('en/sea/index.md', 'English')
    await write('bread.md', 'Bread')
    await write('notes-salt.md', 'Another')
    await write('x.md', '---\nslug: bread\n---\nX')
    const report = await importContent(db, folder)
    expect([report.articles.created, report.problemCount, report.noteCount]).toEqual([7, 0, 6])
    const rows = () => db.selectFrom('articles').select(['slug', 'body', 'id']).orderBy('slug').execute()
    const first = await rows()
    expect(first.map(({ slug, body }) => `${slug} ${body}`)).toEqual([
      expect.stringMatching(/^bread-[0-9a-f]{8} /),
      expect.stringMatching(/^bread-[0-9a-f]{8} /),
      'de-sea Deutsch',
      'en-sea English',
      'notes-salt Another',
      expect.stringMatching(/^notes-salt-[0-9a-f]{8} Notes$/),
      'posts-salt Posts',
    ])
    expect(await importContent(db, folder)).toMatchObject({ articles: { created: 0, updated: 0, unchanged: 7 } })
    expect(await rows()).toEqual(first)
    expect(await importContent(db, folder, { slugsFromPath: true })).toMatchObject({ problemCount: 0 })
  })

  it('brings in an article whose author has an e-mail address that is taken, or is none', async () => {
    const by = (name: string, email: string) => `---\nauthor:\n  name: ${name}\n  email: ${email}\n---\nText`
    await write('people.jsonl', '{"type":"user","username":"ada","email":"ada@example.com"}')
    await write('a.md', by('Bo', 'ADA@example.com'))
    await write('b.md', by('Cy', 'cy@example.com'))
    await write('c.md', by('Dee', 'CY@example.com'))
    await write('d.md', by('Eve', 'eve at example.com'))
    const report = await importContent(db, folder)
    expect([report.articles.created, report.users.created, report.problemCount]).toEqual([4, 5, 0])
    expect(report.notes.map(({ file, message }) => `${file} ${message}`).sort()).toEqual([
      "a.md the e-mail address of Bo is another user's, and is left out",
      "c.md the e-mail address of Dee is another user's, and is left out",
      'd.md the e-mail address of its author is none, and is left out: "eve at example.com"',
    ])
    const users = await db.selectFrom('users').select(['username', 'email']).orderBy('username').execute()
    expect(users.map(({ email }) => email)).toEqual([
      'ada@example.com',
      'bo@example.invalid',
      'cy@example.com',
      'dee@example.invalid',
      'eve@example.invalid',
    ])
  })

  it('shows no words of the database', async () => {
    const lines = [
      '{"type":"user","username":"a","email":"none"}',
      '{"type":"user","username":"b","avatarUrl":"ftp://x"}',
      '{"type":"user","username":"c","displayName":""}',
      '{"type":"tag","slug":"d","name":""}',
      '{"type":"article","slug":"e","title":"E","body":"E","author":"a","createdAt":"2024-01-01","views":9007199254740991}',
    ]
    await write('all.jsonl', lines.join('\n'))
    const report = await importContent(db, folder)
    for (const { message } of report.problems)
      expect(message).not.toMatch(/database|constraint|violates|relation|key \(/i)
    expect(report.problemCount).toBe(4)
  })

  it('says how many files there were, and what became of each', async () => {
    await write('a.md', 'Text')
    await write('b.markdown', '---\ndate: 2099-05-05\n---\nText')
    await write('c.mdx', "import x from 'x'\n\nText")
    await write('d.md', '---\ntitle: D\n---\n')
    await write('tags.jsonl', '{"type":"tag","slug":"x","name":"X"}\n{"type":"tag","slug":"y","name":"Y"}\n')
    await write('blog/_index.md', 'A section')
    await write('blog/salt/index.md', 'Salt')
    await write('blog/salt/photo.jpg', '')
    await write('page.html', '<p>')
    await write('.git/config', '')
    await write('node_modules/x/README.md', 'Hidden')
    const report = await importContent(db, folder)
    expect(report).toMatchObject({ files: 11, problemCount: 1, heldBackCount: 1, noteCount: 1, notReadCount: 5 })
    const said = [...report.problems, ...report.heldBack, ...report.notes, ...report.notRead]
    expect(said.map(({ file, message }) => `${file} ${message}`)).toEqual([
      'd.md has no body: only a draft may be empty',
      'b.markdown is a draft: date is in the future',
      'c.mdx is MDX: its imports and exports are left out (1 block)',
      '.git is hidden, or node_modules',
      'blog/_index.md describes a section, and is not an article',
      'blog/salt/photo.jpg is neither Markdown nor JSON Lines',
      'node_modules is hidden, or node_modules',
      'page.html is neither Markdown nor JSON Lines',
    ])
    expect(report.articles.created + report.problemCount + report.notReadCount + 1).toBe(report.files)
    const { status } = await db
      .selectFrom('articles')
      .select('status')
      .where('slug', '=', 'b')
      .executeTakeFirstOrThrow()
    expect(status).toBe('DRAFT')
  })

  it('throws if there is nothing to read', async () => {
    await expect(importContent(db, path.join(folder, 'absent'))).rejects.toThrow(/Cannot import ".*absent"/)
    await write('picture.png', '')
    await expect(importContent(db, path.join(folder, 'picture.png'))).rejects.toThrow(/should be a folder/)
  })

  it('survives every README that npm installs', async () => {
    const report = await importContent(db, path.resolve('node_modules'))
    expect(report.articles.created).toBeGreaterThan(300)
    expect(report.problems.length).toBeLessThanOrEqual(100)
  })
})

describe('exportContent', () => {
  it('writes what importContent reads back, byte for byte', async () => {
    await loadSampleContent(db)
    await seedContent(db, { articles: 300 })
    await sql`update users set avatar_url = 'https://example.com/a.png', role = 'ADMIN' where username = 'seed-author-2'`.execute(
      db,
    )
    await sql`update articles set title = title || U&' \\2028 𝒮', updated_at = now() where slug like '%-7'`.execute(db)
    const first = await exportedText(db)
    const file = path.join(folder, 'all.jsonl')
    await writeFile(file, first)
    const other = await openDatabase()
    expect(await importContent(other, file)).toMatchObject({ problemCount: 0 })
    expect(await exportedText(other)).toBe(first)
  })
})

describe('seedContent', () => {
  it('makes the same content everywhere, and can go on where it stopped', async () => {
    const other = await openDatabase()
    await seedContent(db, { articles: 2500, users: 20, tags: 30 })
    await seedContent(other, { articles: 700, users: 20, tags: 30 })
    const { articles } = await seedContent(other, { articles: 2500, users: 20, tags: 30 })
    expect(articles).toBe(1800)
    expect(sorted(await exportedText(other))).toEqual(sorted(await exportedText(db)))
    expect(await seedContent(db, { articles: 2500, users: 20, tags: 30 })).toEqual({ users: 0, tags: 0, articles: 0 })
  })

  it('has a few tags that are everywhere, some drafts, and 2 KB bodies', async () => {
    await seedContent(db, { articles: 2000 })
    const { rows } = await sql<{ drafts: number; tags: number; bytes: number; share: number }>`
      select avg((status = 'DRAFT')::int)::float as drafts, avg(length(body))::float as bytes,
             (select count(*) from article_tags) / 2000.0::float as tags,
             (select max(count) / 2000.0::float from (select count(*) from article_tags group by tag_id) x) as share
        from articles
    `.execute(db)
    expect(rows[0]?.drafts).toBeCloseTo(0.05, 1)
    expect(rows[0]?.tags).toBeCloseTo(3, 0)
    expect(rows[0]?.bytes).toBeGreaterThan(1800)
    expect(rows[0]?.share).toBeGreaterThan(0.3)
  })
})

describe('loadSampleContent', () => {
  it('opens the shop window: 60 articles, 12 authors, 25 tags, and no problem', async () => {
    expect(await loadSampleContent(db)).toEqual(
      expect.objectContaining({
        articles: { created: 60, updated: 0, unchanged: 0 },
        users: { created: 12, updated: 0, unchanged: 0 },
        tags: { created: 25, updated: 0, unchanged: 0 },
        problems: [],
      }),
    )
    const { rows } = await sql<{ drafts: number; past: boolean; idle: number; unused: number }>`
      select count(*) filter (where status = 'DRAFT') as drafts, max(published_at) < '2026-11-01' as past,
             (select count(*) from users where id not in (select author_id from articles)) as idle,
             (select count(*) from tags where id not in (select tag_id from article_tags)) as unused
        from articles
    `.execute(db)
    expect(rows).toEqual([{ drafts: 4, past: true, idle: 0, unused: 0 }])
  })
})

async function openDatabase(): Promise<Kysely<Tables>> {
  const database = await createTestDatabase()
  const pool = createPool({ url: database.url, max: 3, statementTimeoutMs: 60_000, onError: () => {} })
  const opened = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  dropped.push(() => opened.destroy().then(() => database.drop()))
  await migrate(opened)
  return opened
}

async function write(file: string, content: string | Buffer): Promise<void> {
  const whole = path.join(folder, file)
  await mkdir(path.dirname(whole), { recursive: true })
  await writeFile(whole, content)
}

async function exportedText(from: Kysely<Tables>): Promise<string> {
  const stream = new PassThrough()
  const [all] = await Promise.all([text(stream), exportContent(from, stream)])
  return all
}

async function exported(from: Kysely<Tables>): Promise<unknown[]> {
  return (await exportedText(from))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function sorted(lines: string): string[] {
  return lines.split('\n').sort()
}
