import { expect, it } from '@jest/globals'
import { whyUnsearchable } from './unsearchable.ts'

const open = '<!--'.repeat(1000)

it.each([
  ['comments that are never closed', open],
  ['comments that are closed beyond what is searched', `${open}${' '.repeat(100_000)}-->`],
  ['comments after one that is closed', `<!-- a -->${open}`],
  ['comments after pictures of two code units', `${'🦊'.repeat(90_000)}${open}`],
  ['a word of names', 'a_'.repeat(5000)],
  ['a word of addresses', '1a@'.repeat(5000)],
  ['a path', '~/'.repeat(5000)],
  ['a path that leads up', '../'.repeat(5000)],
  ['many words', `${'a_'.repeat(200)} `.repeat(200)],
])('refuses %s', (_what, text) => {
  expect(whyUnsearchable(text)).toEqual(expect.any(String))
})

it.each([
  ['comments that are closed', '<!-- a_b -->'.repeat(5000)],
  ['comments that are closed at last', `${open}-->`],
  ['comments beyond what is searched', `${'x '.repeat(50_000)}${open}`],
  ['a picture', `data:image/png;base64,${'aB3+/'.repeat(20_000)}`],
  ['a rule', '-'.repeat(100_000)],
  ['long letters', 'a'.repeat(100_000)],
  ['names that are not long', 'a_long_snake_case_name ann@example.com ../lib/a_b.ts '.repeat(2000)],
])('lets %s be', (_what, text) => {
  expect(whyUnsearchable(text)).toBeUndefined()
})
