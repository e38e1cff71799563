import { describe, expect, it } from '@jest/globals'
import { parseValue } from 'graphql'
import { dateTime } from './date-time.ts'

it.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['0099-02-03T04:05+14:00', '0099-02-02T14:05:00.000Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999Z'],
])('reads %s, and writes it as %s', (text, written) => {
  expect(dateTime.serialize(dateTime.parseValue(text))).toBe(written)
})

describe('names what was sent instead of an instant', () => {
  it.each([
    ['0001-01-01T00:00:00+00:01', '"0001-01-01T00:00:00+00:01"'],
    ['9999-12-31T23:59:59-00:01', '"9999-12-31T23:59:59-00:01"'],
    ['10000-01-01T00:00:00Z', '"10000-01-01T00:00:00Z"'],
    ['infinity', '"infinity"'],
    ['2026-02-30T00:00:00Z', '"2026-02-30T00:00:00Z"'],
    [1769860800, '1769860800'],
    [{ year: [2026] }, '{"year":[2026]}'],
    ['x'.repeat(200), `"${'x'.repeat(100)}…"`],
  ])('in a variable: %j', (value, told) => {
    expect(() => dateTime.parseValue(value)).toThrow(`such as "2026-01-31T12:00:00Z", not ${told}.`)
  })

  it.each(['"soon"', '2026', '{year: 2026}', 'now'])('in the document: %s', (literal) => {
    expect(() => dateTime.parseLiteral(parseValue(literal))).toThrow(`such as "2026-01-31T12:00:00Z", not ${literal}.`)
  })
})

it.each([Number.POSITIVE_INFINITY, null, new Date(Number.NaN), new Date('-000043-03-15T12:00:00Z'), new Date(8.64e15)])(
  'writes nothing but an instant: %s',
  (value) => {
    expect(() => dateTime.serialize(value)).toThrow('A DateTime must be resolved to a Date')
  },
)
