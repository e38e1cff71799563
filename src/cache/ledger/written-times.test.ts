import { expect, it } from '@jest/globals'
import { WrittenTimes } from './written-times.ts'

it('tells when each record was written, from whatever position on', () => {
  const times = new WrittenTimes(10)
  expect([times.at(0), times.at(1)]).toEqual([0, undefined])
  for (let position = 41; position <= 43; position++) times.add(position, position * 1000)
  expect([40, 41, 43, 44].map((position) => times.at(position))).toEqual([undefined, 41_000, 43_000, undefined])
})

it('remembers as many as it is told to, and no more than twice as many', () => {
  const times = new WrittenTimes(10)
  for (let position = 1; position <= 1000; position++) {
    times.add(position, position)
    for (let back = 0; back < Math.min(10, position); back++) expect(times.at(position - back)).toBe(position - back)
    expect(times.at(position - 20)).toBe(position === 20 ? 0 : undefined)
  }
})
