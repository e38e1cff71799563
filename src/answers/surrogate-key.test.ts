import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { surrogateKey } from './surrogate-key.ts'

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

it('has each tag, in their order', () => {
  expect(surrogateKey(['b:2', 'a:1', 'b', 'a'])).toBe('b:2 a:1 b a')
  expect(surrogateKey([])).toBe('')
})

it('folds the tags of the table with the most, and then of the next', () => {
  const many = (table: string, count: number) => Array.from({ length: count }, (_, n) => `${table}:${n}`)
  const tags = ['articles', 'users', ...many('articles', 50), ...many('users', 20)]
  expect(surrogateKey(tags, 300)).toBe(['articles', 'users', ...many('users', 20), 'articles:any'].join(' '))
  expect(surrogateKey(tags, 100)).toBe('articles users articles:any users:any')
})

it(`is short enough, whatever it holds, and a list of words that can be read back (TEST_SEED=${seed})`, () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab:=*~-._% ,;"\r\n\tü日', '\u{1f98a}'), maxLength: 60 })
  const tag = fc.tuple(fc.constantFrom('articles', 'users', 'tags'), text).map(([table, rest]) => `${table}:x${rest}`)
  fc.assert(
    fc.property(fc.uniqueArray(tag, { maxLength: 300 }), (tags) => {
      const key = surrogateKey(tags) ?? ''
      expect(key.length).toBeLessThanOrEqual(3000)
      expect(key).toMatch(/^[!-+\--~ ]*$/) // no comma either: a Cache-Tag has them between
      const words = key === '' ? [] : key.split(' ').map(decodeURIComponent)
      const allOf = (tag: string) => `${tag.slice(0, tag.indexOf(':'))}:any`
      // Whatever purges one of the tags purges this.
      for (const tag of tags) expect([tag, words.includes(tag) || words.includes(allOf(tag))]).toEqual([tag, true])
      expect(new Set(words).size).toBe(words.length)
    }),
    { seed, numRuns: 300 },
  )
})

describe('gives up', () => {
  const bad: [what: string, tags: readonly string[]][] = [
    ['words that name no table', Array.from({ length: 2000 }, (_, n) => `tag${n}`)],
    ['thousands of tables', Array.from({ length: 100_000 }, (_, n) => `table${n}:1`)],
    ['one endless word', ['x'.repeat(1025)]],
    ['an endless table', [`${'x'.repeat(1025)}:1`]],
  ]
  it.each(bad)('where no CDN could be told: %s', (_what, tags) => {
    expect(surrogateKey(['articles:1', ...tags])).toBeUndefined()
  })
})

it('folds the table of a word that is longer than CDNs take', () => {
  expect(surrogateKey([`articles:slug=${'x'.repeat(1025)}`, 'articles:1', 'users:1'])).toBe('users:1 articles:any')
})

it.each(['a\r\nset-cookie: b', 'a\0', 'a b,c', '\ud800', 'ü'])(
  'lets no part of a tag be a line or a word: %j',
  (text) => {
    const key = surrogateKey([`articles:slug=${text}`, text])
    expect(key?.split(' ')).toHaveLength(2)
    expect(key).toMatch(/^[\w.:=*~% -]+$/)
  },
)
