import { beforeEach, expect, it } from '@jest/globals'
import { useContent } from '../../test/harness/use-content.ts'
import { quote } from '../kernel/input.ts'

const content = await useContent()

beforeEach(() => content.clear())

const UNSEEN = [
  ' \u200b',
  '\u2060\u00ad',
  '\u202e\u2066',
  '\u3164',
  '\u2800',
  '\ufe0f',
  '\u{e0067}',
  '\u0301',
  '\u115f',
]

it.each(UNSEEN)('takes the next best title if the one of the front matter is %j', async (unseen) => {
  const title = JSON.stringify(unseen)
  await content.write('heading.md', `---\ntitle: ${title}\n---\n# The heading\n\nText.`)
  await content.write('file-name.md', `+++\ntitle = ${title}\n+++\nText.`)
  const { report } = await content.import()
  expect(report.outcomes).toMatchObject({ imported: 2, skipped: 0 })
  const titles = (await content.exportRecords()).filter(({ type }) => type === 'article').map(({ title }) => title)
  expect(titles.sort()).toEqual(['File name', 'The heading'])
})

it.each(UNSEEN)('reports what has no name but %j, and leaves out such a tag', async (unseen) => {
  const name = JSON.stringify(unseen)
  await content.write('author.md', `---\nauthor: { name: ${name} }\n---\nText.`)
  await content.write('tag.md', `---\ntags: [${name}, Sea]\n---\nText.`)
  await content.write(`${unseen.trim()}.md`, 'Text.')
  const imported = await content.import({ author: 'Ada' })
  expect(imported.report.outcomes).toMatchObject({ imported: 1, skipped: 2 })
  expect(imported.why('skipped')).toContainEqual(
    `${unseen.trim()}.md:1 title has nothing that can be seen: ${quote(unseen.trim())}`,
  )
  const names = (await content.exportRecords()).flatMap((record) => [record.title, record.name, record.displayName])
  expect(names.filter((text) => text !== undefined).sort()).toEqual(['Ada', 'Sea', 'Tag'])
})

it('brings back from an export what SQL has written into the tables', async () => {
  const lines = UNSEEN.map((unseen, index) =>
    JSON.stringify({ type: 'article', slug: `a-${index}`, title: unseen, body: '', author: 'ada' }),
  )
  await content.write('all.jsonl', lines.join('\n'))
  expect((await content.import()).report.outcomes).toMatchObject({ draft: 9, skipped: 0 })
  const titles = (await content.exportRecords()).filter(({ type }) => type === 'article').map(({ title }) => title)
  expect(titles).toEqual(UNSEEN)
})

it('gives one author and one tag to names that differ in how their letters are composed', async () => {
  await content.write('one.md', '---\nauthor: Jos\u00e9\ntags: caf\u00e9\n---\nText.')
  await content.write('two.md', '---\nauthor: Jose\u0301\ntags: cafe\u0301\n---\nText.')
  const { report } = await content.import()
  expect(report).toMatchObject({ users: { created: 1 }, tags: { created: 1 }, articles: { created: 2 } })
})
