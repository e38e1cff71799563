import { setImmediate } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { Turns } from './turns.ts'

/** Notes down who began, in which turn of the event loop. */
function notebook(maxWaiting = 1000) {
  const turns = new Turns({ maxWaiting })
  const began: string[] = []
  const take = async (client: string) => {
    await turns.take(client, () => new Error('too many'))
    began.push(client)
  }
  return { turns, began, take }
}

it('lets a request begin at once if nothing has begun in this turn of the event loop', async () => {
  const { turns } = notebook()
  expect(turns.take('a', Error)).toBeUndefined()
  expect(turns.take('a', Error)).toBeInstanceOf(Promise)
  await setImmediate()
  await setImmediate()
  await setImmediate()
  expect(turns.take('a', Error)).toBeUndefined()
})

it('begins with one request of each client in turn, and with those of one in order', async () => {
  const { began, take } = notebook()
  await Promise.all([...'aaaaabbc'].map(take))
  expect(began.join('')).toBe('aabcabaa')
})

it('lets a newcomer wait for one request of each client, however many wait', async () => {
  const { began, take } = notebook()
  const flood = Array.from({ length: 500 }, (_, n) => take(n % 2 === 0 ? 'one' : 'other'))
  await setImmediate()
  await setImmediate()
  const before = began.length
  await take('newcomer')
  expect(began.length - before).toBeLessThanOrEqual(3)
  await Promise.all(flood)
  expect(began).toHaveLength(501)
})

it('lets the event loop look at its sockets between two', async () => {
  const { began, take } = notebook()
  const all = Promise.all([...'aaaa'].map(take))
  const seen: number[] = []
  for (let turn = 0; turn < 4; turn++) {
    await setImmediate()
    seen.push(began.length)
  }
  await all
  expect(seen).toEqual([...seen].sort())
  expect(new Set(seen).size).toBeGreaterThan(2)
})

it('refuses what would wait beyond its bound, and takes more once others have begun', async () => {
  const { began, take } = notebook(2)
  const first = [take('a'), take('a'), take('b')]
  await expect(take('c')).rejects.toThrow('too many')
  await Promise.all(first)
  await take('c')
  expect(began.join('')).toBe('aabc')
})
