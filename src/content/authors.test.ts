import { beforeEach, describe, expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'
import { useContent } from '../../test/harness/use-content.ts'

const content = await useContent()

beforeEach(() => content.clear())

describe('an author in front matter', () => {
  const ada = { username: 'ada-l', displayName: 'Ada L.', isNameOnly: true }
  const adaWithEmail = { ...ada, email: 'ada@example.com' }

  it.each([
    ['author: Ada L.', ada],
    ['authors: [Ada L.]', ada],
    ['by: Ada L.', ada],
    ['by: { name: Ada L. }', ada],
    ['author: "Ada L. <ada@example.com>"', adaWithEmail],
    ['authors:\n  - name: Ada L.\n    email: ada@example.com', adaWithEmail],
    ['authors: [null, "", { displayName: Ada L., mail: ada@example.com }]', adaWithEmail],
    ['author: { name: Ada L., username: ada }', { username: 'ada', displayName: 'Ada L.' }],
    ['author: { Name: Ada L., login: Ada }', { username: 'ada', displayName: 'Ada L.' }],
    ['author: ada', { username: 'ada', displayName: 'ada' }],
    ['author: 007', { username: '007', displayName: '007' }],
    ['author: { username: ada }', { username: 'ada', displayName: 'ada' }],
    ['params: { author: Ada L. }', ada],
    ['extra:\n  authors: [Ada L.]', ada],
    ['taxonomies:\n  authors: [Ada L.]', ada],
    ['author: ""\nby: Ada L.', ada],
    ['authors: []', { username: 'anonymous', displayName: 'Anonymous', isNameOnly: true }],
    ['title: A', { username: 'anonymous', displayName: 'Anonymous', isNameOnly: true }],
  ])('is read from %j', (yaml, author) => {
    const parsed = parseArticle('a.md', `---\n${yaml}\n---\nText`)
    expect([parsed.article.author, parsed.notes]).toEqual([author, []])
  })

  it('is the first of several, and the report says so', () => {
    expect(parseArticle('a.md', '---\nauthors: [Ada L., Bo, Cy]\n---\nText')).toMatchObject({
      article: { author: ada },
      notes: ['names 3 authors, of whom the first counts: Ada L.'],
    })
  })
})

describe('an author who is there already', () => {
  it.each([
    ['{ name: Ann, email: new@example.com }', 'e-mail address'],
    ['{ name: Ann Smith, username: ann }', 'name'],
    ['{ name: Ann Smith, username: ann, email: new@example.com }', 'name and e-mail address'],
    ['{ name: ANN, email: ANN@example.com }', undefined],
    ['ann', undefined],
  ])('stays as they are, and the report says what differs: %s', async (author, kept) => {
    await content.write(
      'people.jsonl',
      '{"type":"user","username":"ann","displayName":"Ann","email":"ann@example.com"}',
    )
    await content.write('a.md', `---\nauthor: ${author}\n---\nText`)
    const { notes } = await content.import()
    const name = /name: (\w+(?: \w+)?)/.exec(author)?.[1]
    expect(notes).toEqual(kept ? [`a.md its author ${name} is the user "ann", whose ${kept} stays as it was`] : [])
    const users = await content.db.selectFrom('users').select(['display_name', 'email']).execute()
    expect(users).toEqual([{ display_name: 'Ann', email: 'ann@example.com' }])
  })
})

describe('two names that give one username', () => {
  const by = (author: string) => `---\nauthor: ${author}\n---\nText`

  it('are two people, on every run, in one batch or in several', async () => {
    await content.write('a.md', by('José'))
    await content.write('b.md', by('Jose'))
    await content.write('c.md', by('josé'))
    await content.write('d.md', by('"jose\u0301"'))
    await content.write('e.md', by('Jôse'))
    const first = await content.import()
    const authors = await authorOfEach()
    expect(authors).toEqual({
      a: ['jose', 'José'],
      b: [expect.stringMatching(/^jose-[0-9a-f]{8}$/), 'Jose'],
      c: ['jose', 'José'],
      d: ['jose', 'José'],
      e: [expect.stringMatching(/^jose-[0-9a-f]{8}$/), 'Jôse'],
    })
    expect(first.report.users.created).toBe(3)
    expect(first.notes).toEqual([
      `b.md its author Jose has the username "${authors.b?.[0]}": "jose" is José`,
      `e.md its author Jôse has the username "${authors.e?.[0]}": "jose" is José`,
    ])
    expect((await content.import()).report).toMatchObject({ users: { created: 0 }, articles: { unchanged: 5 } })
    for (const file of ['e.md', 'b.md', 'c.md']) await content.import({ file })
    expect(await authorOfEach()).toEqual(authors)
  })

  it.each([
    ['Ada Lovelace', 'Ada-Lovelace'],
    ['Søren', 'Soren'],
    ['Bo.', 'Bo'],
    ["O'Neil", 'ONeil'],
  ])('are two people: %s and %s', async (one, other) => {
    await content.write('a.md', by(JSON.stringify(one)))
    await content.write('b.md', by(JSON.stringify(other)))
    await content.import()
    const { a, b } = await authorOfEach()
    expect([a?.[1], b?.[1]]).toEqual([one, other])
  })

  it('are one person if they have one e-mail address', async () => {
    await content.write('a.md', by('{ name: José, email: j@example.com }'))
    await content.write('b.md', by('{ name: Jose, email: J@example.com }'))
    await content.write('c.md', by('{ name: Jose, email: other@example.com }'))
    const { notes } = await content.import()
    const { a, b, c } = await authorOfEach()
    expect([a, b]).toEqual([
      ['jose', 'José'],
      ['jose', 'José'],
    ])
    expect(c).toEqual([expect.stringMatching(/^jose-/), 'Jose'])
    expect(notes).toEqual([
      'b.md its author Jose is taken for José, who has the same e-mail address',
      expect.stringMatching(/^c.md its author Jose has the username/),
    ])
  })

  it('are one person if their username says so', async () => {
    await content.write('a.md', by('José'))
    await content.write('b.md', by('{ name: Jose, username: jose }'))
    await content.write('c.md', by('jose'))
    await content.write('d.md', by('{ name: José, username: jo2 }'))
    const { report } = await content.import()
    expect(report.users.created).toBe(2)
    expect(Object.values(await authorOfEach()).map(([username]) => username)).toEqual(['jose', 'jose', 'jose', 'jo2'])
  })

  it('mean a user who has the username, if its display name gives another', async () => {
    await content.write('people.jsonl', '{"type":"user","username":"jose","displayName":"José García"}')
    await content.write('a.md', by('José'))
    await content.write('b.md', by('Jose'))
    const { report, notes } = await content.import()
    const note = 'is the user "jose", whose name stays as it was'
    expect(report.users.created).toBe(1)
    expect(notes).toEqual([`a.md its author José ${note}`, `b.md its author Jose ${note}`])
  })

  async function authorOfEach(): Promise<Record<string, [username: string, displayName: string]>> {
    const rows = await content.db
      .selectFrom('articles')
      .innerJoin('users', 'users.id', 'author_id')
      .select(['slug', 'username', 'display_name'])
      .orderBy('slug')
      .execute()
    return Object.fromEntries(rows.map(({ slug, username, display_name }) => [slug, [username, display_name]]))
  }
})
