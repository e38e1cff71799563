import { beforeEach, describe, expect, it } from '@jest/globals'
import { useContent } from '../../test/harness/use-content.ts'

const content = await useContent()

beforeEach(() => content.clear())

describe('what a file holds back for others', () => {
  it.each([
    ["a section that is a draft (Zola's rule)", '_index.md', '+++\ndraft = true\n+++\n', 'draft is true'],
    [
      "Hugo's cascade",
      '_index.md',
      '---\ncascade:\n  build: { render: never }\n---\n',
      'cascade.build.render is never',
    ],
    [
      "Hugo's cascade with targets",
      '_index.de.md',
      '+++\n[[cascade]]\ndraft = true\n[cascade._target]\nkind = "page"\n+++\n',
      'cascade.draft is true',
    ],
    ['a section that nobody can read', '_index.md', '---\ndraft: [\n---\n', "can't be read"],
    ['a bundle that is a draft', 'index.md', '---\ndraft: true\n---\nText', 'draft is true'],
    ['a bundle without a page', 'index.md', '---\nheadless: true\n---\nText', 'headless is true'],
    ["Eleventy's data of a folder", 'sea.json', '{ "tags": "posts", "draft": true }', 'draft is true'],
    ['the same by its longer name', 'sea.11tydata.json', '{ "permalink": false }', 'permalink is false'],
    ['data that nobody can read', 'sea.json', '{ draft: true }', "can't be read"],
  ])('is held back: %s', async (_name, file, text, reason) => {
    await content.write(`sea/${file}`, text)
    await content.write('sea/salt.md', '---\ntitle: Salt\n---\nText')
    await content.write('sea/deep/er/sand.md', 'Text')
    await content.write('seaside.md', 'Text')
    const { outcomes } = await content.import()
    const why = [`it is held back by sea/${file}: ${reason}`]
    expect(outcomes).toContainEqual(expect.objectContaining({ file: 'sea/salt.md', outcome: 'draft', why }))
    expect(outcomes).toContainEqual(expect.objectContaining({ file: 'sea/deep/er/sand.md', outcome: 'draft', why }))
    expect(outcomes).toContainEqual(expect.objectContaining({ file: 'seaside.md', outcome: 'imported' }))
  })

  it("is one article, by Eleventy's data for it", async () => {
    await content.write('posts/salt.md', 'Text')
    await content.write('posts/salt.json', '{ "eleventyExcludeFromCollections": true }')
    await content.write('posts/sand.markdown', 'Text')
    await content.write('posts/sand.11tydata.json', '{ "date": "2099-01-01" }')
    await content.write('posts/sea.md', 'Text')
    await content.write('posts/package.json', '{ "private": true }')
    expect((await content.import()).why('draft')).toEqual([
      'posts/salt.md:1 it is held back by posts/salt.json: eleventyExcludeFromCollections is true',
      'posts/sand.markdown:1 it is held back by posts/sand.11tydata.json: date is in the future',
    ])
  })

  it('is everything, if it is said of the imported folder', async () => {
    await content.write('_index.md', '---\ncascade: { private: true }\n---\n')
    await content.write('a/b.md', 'Text')
    expect((await content.import()).why('draft')).toEqual([
      'a/b.md:1 it is held back by _index.md: cascade.private is true',
    ])
  })

  it('is nothing, if a page of a folder speaks of itself alone', async () => {
    await content.write('index.md', '---\ndraft: true\n---\nHome')
    await content.write('a/index.md', '---\neleventyExcludeFromCollections: true\n---\nText')
    await content.write('a/b.md', 'Text')
    await content.write('g/index.md', '---\ndraft: true\n---\nText')
    await content.write('g/index.fr.md', 'Texte')
    await content.write('c/_index.md', '---\nbuild: { render: never }\ncascade: { color: red }\n---\n')
    await content.write('c/d.md', 'Text')
    await content.write('e/e.json', '[1]')
    await content.write('e/f.md', 'Text')
    const { outcomes } = await content.import()
    const page = outcomes.find(({ file }) => file === 'g/index.md')
    expect(page?.why).toEqual(['draft is true'])
    const imported = outcomes.filter(({ outcome }) => outcome === 'imported').map(({ file }) => file)
    expect(imported).toEqual(['a/b.md', 'c/d.md', 'e/f.md', 'g/index.fr.md'])
  })
})
