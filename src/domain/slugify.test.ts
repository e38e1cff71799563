import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { usernameOf } from '../content/content-record.ts'
import { slugify } from './slugify.ts'

it.each([
  ['Crème Brûlée, twice', 'creme-brulee-twice'],
  ['Straße nach Ærø', 'strasse-nach-aero'],
  ["Don't Panic", 'dont-panic'],
  ['/blog/2024/hello_world/', 'blog-2024-hello-world'],
  ['C', 'c'],
  ['C++', 'c-plus-plus'],
  ['C#', 'c-sharp'],
  ['#cooking', 'cooking'],
  ['ﬁne — ½', 'fine-1-2'],
])('makes %j into %j', (text, slug) => {
  expect(slugify(text, 200)).toBe(slug)
})

it('keeps names apart that have no Latin letters', () => {
  const slugs = ['Привет', 'Пока', '王小明', 'world', 'world мир', '🎺', ''].map((name) => slugify(name, 200))
  expect(new Set(slugs).size).toBe(slugs.length)
})

it('keeps long texts apart that begin alike', () => {
  const long = 'a very long title '.repeat(20)
  expect(slugify(`${long}one`, 200)).not.toBe(slugify(`${long}two`, 200))
})

it('always satisfies the check of its column, and leaves a slug alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom(39, 100, 200), (text, maxLength) => {
      const slug = slugify(text, maxLength)
      expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(slug.length).toBeLessThanOrEqual(maxLength)
      expect(slugify(slug, maxLength)).toBe(slug)
      expect(usernameOf(text)).toMatch(/^[a-z0-9][a-z0-9_-]{0,38}$/)
    }),
  )
})
