import path from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { useContent } from '../../test/harness/use-content.ts'
import { importContent } from './import-content.ts'

const content = await useContent()

beforeEach(() => content.clear())

describe('importContent', () => {
  it('imports a folder, with its authors and tags', async () => {
    await content.write(
      'posts/salt/index.md',
      '---\ntitle: Salt\ndate: 2024-05-01\nauthor: Ada L.\ntags: [Sea, Food]\nviews: 7\n---\nA rock.',
    )
    await content.write('posts/2024-02-03-bread.md', '---\nauthor: Ada L.\ntags: food\n---\nFlour and time.')
    await content.write('notes/idea.md', '---\ndraft: true\ndate: 2024-01-01\n---\n')
    await content.write('.obsidian/hidden.md', 'Hidden')
    await content.write('node_modules/x/README.md', 'Hidden')
    await content.write('blog/_index.md', 'A section')
    const progress: unknown[] = []
    const { report } = await content.import({ onProgress: (step) => progress.push(step) })
    expect(report).toMatchObject({
      articles: { created: 3, updated: 0, unchanged: 0 },
      users: { created: 2 },
      tags: { created: 2 },
      outcomes: { imported: 2, draft: 1, skipped: 0, 'not read': 3 },
    })
    expect(progress.at(-1)).toEqual({ done: 3, total: 3 })
    const lines = await content.exportRecords()
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
    for (const name of ['a', 'b', 'c'])
      await content.write(`${name}.md`, `---\ntags: [x, y]\nviews: 3\n---\nText of ${name}`)
    await content.import()
    await sql`delete from stet.pending`.execute(content.db)
    await content.write('b.md', '---\ntags: [x, y]\nviews: 3\n---\nAnother text')
    await content.write('c.md', '---\ntags: [y, z]\nviews: 2\n---\nText of c')
    expect((await content.import()).report).toMatchObject({
      articles: { created: 0, updated: 2, unchanged: 1 },
      tags: { created: 1 },
      outcomes: { imported: 3, skipped: 0 },
    })
    const versions = await content.db.selectFrom('articles').select(['slug', 'version']).orderBy('slug').execute()
    expect(versions).toEqual([
      { slug: 'a', version: 1 },
      { slug: 'b', version: 2 },
      { slug: 'c', version: 1 },
    ])
    const { rows } = await sql<{ tag: string }>`select unnest(tags) as tag from stet.pending`.execute(content.db)
    const a = await content.db.selectFrom('articles').select('id').where('slug', '=', 'a').executeTakeFirstOrThrow()
    expect(rows.map((row) => row.tag)).not.toContain(`articles:${a.id}`)
    expect(rows.map((row) => row.tag)).not.toContain('articles:*')
  })

  it('writes nothing at all when nothing changed', async () => {
    await content.write(
      'users.jsonl',
      '{"type":"user","username":"ada","bio":"Writes"}\n{"type":"tag","slug":"x","name":"X"}\n',
    )
    await content.write('a.md', '---\ntags: [x]\nauthor: ada\nviews: 3\n---\nText')
    await content.import()
    await sql`delete from stet.pending`.execute(content.db)
    expect((await content.import()).report).toMatchObject({
      articles: { unchanged: 1, updated: 0 },
      users: { unchanged: 1, updated: 0 },
      tags: { unchanged: 1, updated: 0 },
    })
    expect((await sql`select tags from stet.pending`.execute(content.db)).rows).toEqual([])
  })

  it('reports bad files and lines by name and line number, and imports the rest', async () => {
    await content.write('good.md', '---\ntitle: Good\n---\nText')
    await content.write('bad-yaml.md', '---\ntitle: Bad\ntags: [a\n---\nText')
    await content.write('no-body.md', '---\ntitle: Nothing\n---\n')
    await content.write('bad-date.md', '---\ntitle: When\ndate: yesterday\n---\nText')
    await content.write('latin1.md', Buffer.from([0x63, 0x61, 0x66, 0xe9]))
    await content.write('twice/good.md', 'Text')
    await content.write(
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
    const imported = await content.import()
    expect(imported.report).toMatchObject({ articles: { created: 2 }, users: { created: 3 } })
    expect(imported.notes).toEqual(['twice/good.md has the slug "twice-good", made from its path'])
    expect(imported.why('skipped')).toEqual([
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
    await content.write('posts/salt.md', 'Posts')
    await content.write('notes/salt.md', 'Notes')
    await content.write('de/sea/index.md', 'Deutsch')
    await content.write('en/sea/index.md', 'English')
    await content.write('bread.md', 'Bread')
    await content.write('notes-salt.md', 'Another')
    await content.write('x.md', '---\nslug: bread\n---\nX')
    const { report } = await content.import()
    expect(report).toMatchObject({ articles: { created: 7 }, outcomes: { imported: 7, skipped: 0 }, noted: 6 })
    const rows = () => content.db.selectFrom('articles').select(['slug', 'body', 'id']).orderBy('slug').execute()
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
    expect((await content.import()).report).toMatchObject({ articles: { created: 0, updated: 0, unchanged: 7 } })
    expect(await rows()).toEqual(first)
    expect((await content.import({ slugsFromPath: true })).why('skipped')).toEqual([])
  })

  it('brings in an article whose author has an e-mail address that is taken, or is none', async () => {
    const by = (name: string, email: string) => `---\nauthor:\n  name: ${name}\n  email: ${email}\n---\nText`
    await content.write('people.jsonl', '{"type":"user","username":"ada","email":"ada@example.com"}')
    await content.write('a.md', by('Bo', 'ADA@example.com'))
    await content.write('b.md', by('Cy', 'cy@example.com'))
    await content.write('c.md', by('Dee', 'CY@example.com'))
    await content.write('d.md', by('Eve', 'eve at example.com'))
    const { report, notes } = await content.import()
    expect(report).toMatchObject({
      articles: { created: 4 },
      users: { created: 5 },
      outcomes: { skipped: 0 },
      noted: 3,
    })
    expect(notes).toEqual([
      "a.md the e-mail address of Bo is another user's, and is left out",
      "c.md the e-mail address of Dee is another user's, and is left out",
      'd.md the e-mail address of its author is none, and is left out: "eve at example.com"',
    ])
    const users = await content.db.selectFrom('users').select(['username', 'email']).orderBy('username').execute()
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
    await content.write('all.jsonl', lines.join('\n'))
    const imported = await content.import()
    expect(imported.why('skipped')).toHaveLength(5)
    expect(imported.why('skipped').join()).not.toMatch(/database|constraint|violates|relation|key \(/i)
  })

  it('counts the fields that have no place in the tables', async () => {
    await content.write('a.md', '---\nweight: 1\nconstructor: x\n---\nText')
    await content.write('b.md', '---\nweight: 2\n__proto__: x\n---\nText')
    await content.write('c.jsonl', '{"type":"tag","slug":"c","name":"C","colour":"red","__proto__":1}')
    const { report } = await content.import()
    expect(Object.entries(report.unreadFields).sort()).toEqual([
      ['__proto__', 2],
      ['colour', 1],
      ['constructor', 1],
      ['weight', 2],
    ])
  })

  it('says how many files there were, and what became of each', async () => {
    await content.write('a.md', 'Text')
    await content.write('b.markdown', '---\ndate: 2099-05-05\n---\nText')
    await content.write('c.mdx', "import x from 'x'\n\nText")
    await content.write('d.md', '---\ntitle: D\n---\n')
    await content.write('tags.jsonl', '{"type":"tag","slug":"x","name":"X"}\n{"type":"tag","slug":"y","name":"Y"}\n')
    await content.write('blog/_index.md', 'A section')
    await content.write('blog/salt/index.md', 'Salt')
    await content.write('blog/salt/photo.jpg', '')
    await content.write('page.html', '<p>')
    await content.write('.git/config', '')
    await content.write('node_modules/x/README.md', 'Hidden')
    const imported = await content.import()
    const { report } = imported
    expect(report).toMatchObject({
      files: 11,
      outcomes: { imported: 5, draft: 1, skipped: 1, 'not read': 5 },
      noted: 1,
      reasons: {
        draft: { 'date is in the future': 1 },
        skipped: { 'has no body': 1 },
        'not read': {
          'is hidden, or node_modules': 2,
          'describes a section, and is not an article': 1,
          'is neither Markdown nor JSON Lines': 2,
        },
      },
    })
    expect(imported.why('skipped')).toEqual(['d.md:4 has no body: only a draft may be empty'])
    expect(imported.why('draft')).toEqual(['b.markdown:1 date is in the future'])
    expect(imported.notes).toEqual(['c.mdx is MDX, and comes in without 1 block of imports and exports'])
    expect(imported.why('not read')).toEqual([
      '.git:1 is hidden, or node_modules',
      'blog/_index.md:1 describes a section, and is not an article',
      'blog/salt/photo.jpg:1 is neither Markdown nor JSON Lines',
      'node_modules:1 is hidden, or node_modules',
      'page.html:1 is neither Markdown nor JSON Lines',
    ])
    // The JSON Lines hold two records.
    expect(imported.outcomes).toHaveLength(report.files + 1)
    expect(imported.outcomes.filter(({ file }) => file === 'tags.jsonl').map(({ line }) => line)).toEqual([1, 2])
    const { status } = await content.db
      .selectFrom('articles')
      .select('status')
      .where('slug', '=', 'b')
      .executeTakeFirstOrThrow()
    expect(status).toBe('DRAFT')
  })

  it('does not read redirects without a body, sections, and what lies beside an article', async () => {
    await content.write('old.md', '---\nredirect_to: /new/\n---\n')
    await content.write('b/old.md', '---\ntitle: Old\nlayout: redirect\nredirect: { to: /new/ }\n---\n\n')
    await content.write('c.md', '+++\nredirect_to = "https://example.com"\n+++\n')
    await content.write('d/old.md', '{"type": "redirect", "draft": true}\n')
    await content.write('new.md', '---\naliases: [/old/]\nredirect_from: /older/\n---\nText')
    await content.write('moved.md', '---\nredirect_to: /new/\n---\nText that nobody saw')
    await content.write('sea/_index.md', 'Section')
    await content.write('sea/_index.de.md', 'Abschnitt')
    await content.write('sea/salt/index.md', 'Salt')
    await content.write('sea/salt/index.de.md', 'Salz')
    await content.write('sea/salt/extra.md', 'More')
    const imported = await content.import()
    expect(imported.why('not read')).toEqual([
      'b/old.md:1 is a redirect without a body: redirect is set',
      'c.md:1 is a redirect without a body: redirect_to is "https://example.com"',
      'd/old.md:1 is a redirect without a body: type is redirect',
      'old.md:1 is a redirect without a body: redirect_to is "/new/"',
      'sea/_index.de.md:1 describes a section, and is not an article',
      'sea/_index.md:1 describes a section, and is not an article',
    ])
    expect(imported.why('draft')).toEqual(['moved.md:1 it redirects: redirect_to is "/new/"'])
    expect(imported.report.reasons['not read']).toMatchObject({ 'is a redirect without a body': 4 })
    const rows = await content.db.selectFrom('articles').select('slug').orderBy('slug').execute()
    expect(rows.map(({ slug }) => slug)).toEqual(['extra', 'moved', 'new', 'salt', 'salt-de'])
  })

  it('throws if there is nothing to read', async () => {
    await expect(content.import({ file: 'absent' })).rejects.toThrow(/Cannot import ".*absent"/)
    await content.write('picture.png', '')
    await expect(content.import({ file: 'picture.png' })).rejects.toThrow(/should be a folder/)
  })

  it('survives every README that npm installs', async () => {
    const report = await importContent(content.db, path.resolve('node_modules'))
    expect(report.articles.created).toBeGreaterThan(300)
    const kinds = Object.values(report.reasons).flatMap((reasons) => Object.keys(reasons))
    expect(kinds.length).toBeLessThan(60)
  }, 180_000)
})
