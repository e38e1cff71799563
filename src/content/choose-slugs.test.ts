import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SlugChoice } from './choose-slugs.ts'

it('gives files that claim one slug the slugs of their paths, and leaves the others alone', () => {
  expect(
    choose([
      ['salt.md', 'salt'],
      ['posts/salt.md', 'salt'],
      ['notes/salt/index.md', 'salt'],
      ['bread.md', 'bread'],
    ]),
  ).toEqual({
    'salt.md': 'salt',
    'posts/salt.md': 'posts-salt',
    'notes/salt/index.md': 'notes-salt',
    'bread.md': 'bread',
  })
})

it('makes every slug from the path if it is told to', () => {
  expect(choose([['posts/salt.md', 'salt']], true)).toEqual({ 'posts/salt.md': 'posts-salt' })
})

const names = fc.constantFrom('a', 'b', 'a-b', 'index', 'b-a')
const files = fc.array(fc.tuple(fc.array(names, { maxLength: 3 }), names, names), { maxLength: 20 })

it('never gives two files one slug, and gives the same in every order', () => {
  fc.assert(
    fc.property(files, fc.boolean(), (given, fromPath) => {
      const claims = new Map(given.map(([folders, name, slug]) => [[...folders, `${name}.md`].join('/'), slug]))
      const chosen = choose([...claims], fromPath)
      expect(new Set(Object.values(chosen)).size).toBe(claims.size)
      expect(choose([...claims].reverse(), fromPath)).toEqual(chosen)
    }),
  )
})

function choose(claims: readonly (readonly [string, string])[], fromPath = false): Record<string, string> {
  const slugs = new SlugChoice(fromPath)
  for (const [file, slug] of claims) slugs.claim(file, slug)
  return Object.fromEntries(claims.map(([file, slug]) => [file, slugs.slugOf(file, slug)]))
}
