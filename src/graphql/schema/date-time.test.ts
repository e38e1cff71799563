import { describe, expect, it } from '@jest/globals'
import { parseValue } from 'graphql'
import { dateTime } from './date-time.ts'

it.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31T12:00:00.5+01:00', '2026-01-31T11:00:00.500Z'],
  ['2026-01-31T12:00:00.123000000Z', '2026-01-31T12:00:00.123Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['0099-02-03T04:05+14:00', '0099-02-02T14:05:00.000Z'],
  ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  ['2026-01-31T12:00:00.1234Z', '2026-01-31T12:00:00.123400Z'],
  ['2026-01-31T12:00:00.0000010+00:30', '2026-01-31T11:30:00.000001Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
])('reads %s as %s', (text, read) => {
  expect(dateTime.parseValue(text)).toBe(read)
})

it.each([
  ['2026-01-31T12:00:00.0000001Z', '2026-01-31T12:00:00.000001Z'],
  ['2026-01-31T12:00:00.1234560001Z', '2026-01-31T12:00:00.123457Z'],
  ['2026-12-31T23:59:59.9999999Z', '2027-01-01T00:00:00.000Z'],
  ['0001-01-01T00:00:00.9999991Z', '0001-01-01T00:00:01.000Z'],
  ['9999-12-31T23:59:59.9999991Z', '10000-01-01T00:00:00.000Z'],
])('reads what no table can hold, %s, as the next that one can: %s', (text, read) => {
  expect(dateTime.parseValue(text)).toBe(read)
})

it('writes an instant to the millisecond', () => {
  expect(dateTime.serialize(new Date('0099-02-03T04:05:06.789Z'))).toBe('0099-02-03T04:05:06.789Z')
})

describe('names what was sent instead of an instant', () => {
  it.each([
    ['10000-01-01T00:00:00Z', '"10000-01-01T00:00:00Z"'],
    ['infinity', '"infinity"'],
    [1769860800, '1769860800'],
    [{ year: [2026] }, '{"year":[2026]}'],
    ['x'.repeat(200), `"${'x'.repeat(100)}…"`],
  ])('in a variable: %j', (value, told) => {
    expect(() => dateTime.parseValue(value)).toThrow(`such as "2026-01-31T12:00:00Z", not ${told}.`)
  })

  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-31T25:00:00Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
  ])('and says of %s that there is no such time', (text) => {
    const message = `A DateTime must be a time that exists, in the years 1 to 9999, not "${text}".`
    expect(() => dateTime.parseValue(text)).toThrow(message)
    expect(() => dateTime.parseLiteral(parseValue(JSON.stringify(text)))).toThrow(message)
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
