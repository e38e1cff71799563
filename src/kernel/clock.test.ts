import { expect, it } from '@jest/globals'
import { ManualClock } from './clock.ts'

it('moves only when told to', () => {
  const clock = new ManualClock(1000)
  clock.advance(5)
  expect(clock.now()).toBe(1005)
})
