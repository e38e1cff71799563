import { expect, it } from '@jest/globals'
import { ManualClock } from '../../test/models/manual-clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { logRedis, sparingly } from './log-events.ts'

it('tells the first error at once, and of the rest how many there were', () => {
  const told: [string, number][] = []
  const clock = new ManualClock()
  const tell = sparingly((error, untold) => told.push([error.message, untold]), 1000, clock)
  for (const message of ['first', 'second', 'third']) tell(new Error(message))
  clock.advance(999)
  tell(new Error('fourth'))
  expect(told).toEqual([['first', 0]])
  clock.advance(1)
  tell(new Error('fifth'))
  expect(told).toEqual([
    ['first', 0],
    ['fifth', 3],
  ])
})

it('counts every forged message, and logs one for many', () => {
  let counted = 0
  const lines: unknown[] = []
  const logger = { warn: (...line: unknown[]) => void lines.push(line) } as unknown as Logger
  const { onForged } = logRedis(logger, { onForgedMessage: () => counted++ })
  for (let time = 0; time < 1000; time++) onForged()
  expect(counted).toBe(1000)
  expect(lines).toHaveLength(1)
})
