import { expect, it } from '@jest/globals'
import { Breaker, type BreakerOptions, type BreakerState, isRefusal } from './breaker.ts'

const never = 1e9

it('opens after so many failures in a row, and then has nothing done', async () => {
  const { breaker, states } = make({ failures: 3, resetMs: never })
  await fail(breaker)
  await fail(breaker)
  await succeed(breaker)
  await fail(breaker)
  await fail(breaker)
  expect(states).toEqual([])
  expect(breaker.admits()).toBe(true)
  await fail(breaker)
  expect(states).toEqual([['open', 'broken']])
  expect(breaker.admits()).toBe(false)
  let done = false
  const work = async () => {
    done = true
  }
  expect(isRefusal(await breaker.run(work).catch((error) => error))).toBe(true)
  expect(done).toBe(false)
})

it('counts work that was under way together for what it is, and takes its late success for nothing', async () => {
  const { breaker, states } = make({ failures: 2, resetMs: never })
  let end = () => {}
  const late = breaker.run(() => new Promise<void>((resolve) => (end = resolve)))
  await Promise.all([fail(breaker), fail(breaker), fail(breaker)])
  end()
  await late
  expect(states).toEqual([['open', 'broken']])
})

it('sends one probe when it is time, refuses all work meanwhile, and closes when the probe succeeds', async () => {
  const probes: (() => void)[] = []
  const probe = () => new Promise<void>((resolve) => probes.push(resolve))
  const { breaker, states } = make({ failures: 1, resetMs: 0, probe })
  await fail(breaker)
  expect(probes).toHaveLength(0)
  for (let time = 0; time < 100; time++) await expect(succeed(breaker)).rejects.toThrow('breaker is open')
  expect(probes).toHaveLength(1)
  probes[0]?.()
  await new Promise(setImmediate)
  await succeed(breaker)
  expect(states).toEqual([['open', 'broken'], ['half-open'], ['closed']])
})

it('opens again when the probe fails, with one more probe each time', async () => {
  const probes: ((error: Error) => void)[] = []
  const probe = () => new Promise<void>((_, reject) => probes.push(reject))
  const { breaker, states } = make({ failures: 1, resetMs: 0, probe })
  await fail(breaker)
  for (let round = 1; round <= 3; round++) {
    for (let time = 0; time < 10; time++) expect(breaker.admits()).toBe(false)
    expect(probes).toHaveLength(round)
    probes[round - 1]?.(new Error('still broken'))
    await new Promise(setImmediate)
  }
  expect(states.slice(0, 4)).toEqual([['open', 'broken'], ['half-open'], ['open', 'still broken'], ['half-open']])
})

function make(options: Partial<BreakerOptions>) {
  const states: [BreakerState, ...string[]][] = []
  const onState = (state: BreakerState, why?: Error) => void states.push(why ? [state, why.message] : [state])
  return { breaker: new Breaker({ probe: async () => {}, onState, ...options }), states }
}

async function fail(breaker: Breaker): Promise<void> {
  await expect(
    breaker.run(async () => {
      throw new Error('broken')
    }),
  ).rejects.toThrow()
}

const succeed = (breaker: Breaker): Promise<void> => breaker.run(async () => {})
