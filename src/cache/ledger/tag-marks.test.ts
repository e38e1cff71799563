import { describe, expect, it } from '@jest/globals'
import { Ledger } from './ledger.ts'
import { marksOf, TagMarks } from './tag-marks.ts'

/** Another tag that has the same mark. */
function twinOf(tag: string): string {
  const [number] = marksOf(tag, [])
  for (let n = 0; ; n++) if (marksOf(`twins:${n}`, [])[0] === number) return `twins:${n}`
}

describe('TagMarks', () => {
  it('tells what was not written since', () => {
    const marks = new TagMarks()
    const numbers = marksOf('the:key', ['articles:1', 'articles'])
    expect(marks.areOlder(numbers, 0)).toBe(true)
    marks.set('articles:1', 5)
    expect([marks.areOlder(numbers, 4), marks.areOlder(numbers, 5)]).toEqual([false, true])
    marks.set('the:key', 6)
    expect(marks.areOlder(numbers, 5)).toBe(false)
  })

  it('tells of every table that one was written', () => {
    const marks = new TagMarks()
    marks.set('users', 5)
    const numbers = marksOf('the:key', ['articles:1', 'articles'])
    expect([marks.areOlder(numbers, 4), marks.areOlder(numbers, 5)]).toEqual([false, true])
  })

  it('has a mark for the key and each tag, in the order of what an entry depends on, and none for tables', () => {
    const all = marksOf('the:key', ['articles:1', 'articles', 'tags:2', 'tags'])
    expect(all).toBe(['the:key', 'articles:1', 'tags:2'].map((tag) => marksOf(tag, [])).join(''))
    expect(new Set(all).size).toBe(3)
  })

  it('marks an entry with more tags than a call takes arguments', () => {
    const tags = Array.from({ length: 200_000 }, (_, id) => `articles:${id}`)
    expect(marksOf('the:key', tags)).toHaveLength(200_001)
  })

  it('spreads the tags of a table', () => {
    const numbers = Array.from({ length: 10_000 }, (_, id) => marksOf(`articles:${id}`, [])[0])
    // As many as 10,000 balls thrown at random would find among 32,768: 32,768 × (1 − e^(−10,000 / 32,768)) = 8,617.
    expect(new Set(numbers).size).toBeGreaterThan(8400)
  })
})

it('an entry stands though a tag was written that has the mark of one of its own', () => {
  const ledger = new Ledger()
  ledger.restart('a', 0)
  const entry = () => ({ key: 'key', epoch: 'a', asOf: 0, tags: ['articles:1', 'articles'] })
  const tags = [twinOf('articles:1'), twinOf('key')]
  ledger.advance({ epoch: 'a', after: 0, records: [{ position: 1, tags, writtenAtUs: 1 }] })
  expect(ledger.stands(entry())).toBe(true)
  ledger.advance({ epoch: 'a', after: 1, records: [{ position: 2, tags: ['articles:1'], writtenAtUs: 2 }] })
  expect(ledger.stands(entry())).toBe(false)
})
