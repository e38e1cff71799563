import { expect, it } from '@jest/globals'
import { ManualClock } from '../../test/models/manual-clock.ts'
import { systemClock } from './clock.ts'

it('moves only when told to', () => {
  const clock = new ManualClock(1000)
  clock.advance(5)
  expect(clock.now()).toBe(1005)
  expect(clock.elapsed()).toBe(1005)
})

it('calls what falls due in the order of time, and what falls due together in the order it was asked for', () => {
  const { clock, called, after } = recorded()
  after(20, 'late')
  after(10, 'early')
  after(10, 'early too')
  after(21, 'too late')
  clock.advance(20)
  expect(called).toEqual(['early at 10', 'early too at 10', 'late at 20'])
  expect(clock.waiting).toBe(1)
})

it('calls also what is asked for from within a call, when that falls due', () => {
  const { clock, called, after } = recorded()
  clock.after(10, () => {
    after(5, 'inner')
    after(0, 'at once')
  })
  after(12, 'outer')
  clock.advance(100)
  expect(called).toEqual(['at once at 10', 'outer at 12', 'inner at 15'])
  expect(clock.now()).toBe(100)
})

it('calls nothing that was cancelled, also from within a call of the same moment, and nothing twice', () => {
  const { clock, called, after } = recorded()
  const cancel = after(10, 'never')
  clock.after(5, cancel)
  after(10, 'once')
  clock.advance(10)
  clock.advance(10)
  expect(called).toEqual(['once at 10'])
})

it('does not call at once what is a month away', async () => {
  const called: string[] = []
  const cancel = systemClock.after(31 * 24 * 3600 * 1000, () => void called.push('early'))
  await new Promise<void>((resolve) => void systemClock.after(5, resolve))
  cancel()
  expect(called).toEqual([])
})

function recorded() {
  const clock = new ManualClock(0)
  const called: string[] = []
  const after = (ms: number, name: string) => clock.after(ms, () => void called.push(`${name} at ${clock.now()}`))
  return { clock, called, after }
}
