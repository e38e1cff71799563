import { setImmediate } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { Turns } from './turns.ts'

/** Each request takes a millisecond once it has begun, and a turn has two. */
function notebook({ maxWaiting = 1000, tookMs = 1 } = {}) {
  let nowMs = 0
  const turns = new Turns({ maxWaiting, sliceMs: 2, now: () => nowMs })
  const began: string[] = []
  const take = async (client: string) => {
    await turns.take(client, () => new Error('too many'))
    began.push(client)
    nowMs += tookMs
  }
  return { turns, began, take }
}

it('lets requests begin at once while a turn has time', async () => {
  const { began, take } = notebook()
  await take('a')
  await take('a')
  expect(began.join('')).toBe('aa')
  const third = take('a')
  await Promise.resolve()
  expect(began.join('')).toBe('aa')
  await third
})

it('begins with one request of each client in turn, and with those of one in order', async () => {
  const { began, take } = notebook({ tookMs: 5 })
  await take('a')
  await Promise.all([...'aaaabbc'].map(take))
  expect(began.join('')).toBe('aabcabaa')
})

it('lets a newcomer wait for one turn, however many wait', async () => {
  const { began, take } = notebook()
  await take('one')
  await take('one')
  const flood = Array.from({ length: 500 }, (_, n) => take(n % 2 === 0 ? 'one' : 'other'))
  await setImmediate()
  const before = began.length
  await take('newcomer')
  expect(began.length - before).toBeLessThanOrEqual(5)
  await Promise.all(flood)
  expect(began).toHaveLength(503)
})

it('lets the event loop look at its sockets after each slice, and not before', async () => {
  const { began, take } = notebook()
  await take('a')
  await take('a')
  const all = Promise.all([...'aaaaaa'].map(take))
  const seen = [began.length]
  while (began.length < 8) {
    await setImmediate()
    seen.push(began.length)
  }
  await all
  expect([...new Set(seen)]).toEqual([2, 4, 6, 8])
})

it('begins with any number that take no time in one turn', async () => {
  const { began, take } = notebook({ tookMs: 0 })
  const all = Promise.all(Array.from({ length: 300 }, () => take('a')))
  await Promise.resolve()
  await Promise.resolve()
  expect(began).toHaveLength(300)
  await all
})

it('refuses what would wait beyond its bound, and takes more once others have begun', async () => {
  const { began, take } = notebook({ maxWaiting: 2, tookMs: 5 })
  await take('a')
  const waiting = [take('a'), take('b')]
  await expect(take('c')).rejects.toThrow('too many')
  await Promise.all(waiting)
  await take('c')
  expect(began.join('')).toBe('aabc')
})
