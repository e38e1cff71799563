import { expect, it } from '@jest/globals'
import { limitVariables } from './operation-request.ts'

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

it.each([
  ['nulls', { i: Array(100_000).fill(null) }],
  ['names', Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`a${n}`, 1]))],
  ['lists in lists', { i: Array.from({ length: 1000 }, () => Array(11).fill(1)) }],
  ['empty objects', { i: Array.from({ length: 10_001 }, () => ({})) }],
])('counts %s', (_what, variables) => {
  expect(() => limitVariables(variables, 10_000)).toThrow('The variables hold more than 10000 values')
})

it.each([
  ['lists', { i: nested(5000) }],
  ['objects', JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)],
])('looks no deeper than an input can be, into %s', (_what, variables) => {
  expect(() => limitVariables(variables, 10_000)).toThrow('The variables nest more than 32 lists and objects.')
})

it('takes what inputs need, and leaves the rest to Apollo', () => {
  for (const variables of [
    undefined,
    null,
    'text',
    1,
    {},
    { input: { tags: ['a'], body: 'x'.repeat(500_000) } },
    { i: nested(20) },
  ]) {
    limitVariables(variables, 10_000)
  }
})
