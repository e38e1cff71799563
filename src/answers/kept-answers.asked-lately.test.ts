import { expect, it } from '@jest/globals'
import { AskedLately } from './kept-answers.ts'

it('tells from the second time on that a key is asked again', () => {
  const asked = new AskedLately()
  expect(['a', 'b', 'a', 'a', 'b', 'c'].map((key) => asked.isAskedAgain(key))).toEqual([
    false,
    false,
    true,
    true,
    true,
    false,
  ])
})

it('remembers nearly all of many thousand keys, and takes next to none for one that was asked', () => {
  const asked = new AskedLately()
  const again = () => Array.from({ length: 10_000 }, (_, id) => asked.isAskedAgain(`key ${id}`)).filter(Boolean).length
  expect(again()).toBeLessThan(20)
  expect(again()).toBeGreaterThan(9_500)
})
