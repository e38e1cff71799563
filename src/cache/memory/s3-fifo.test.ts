import { randomInt } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { EvictingMap, type ItemOf } from '../../../test/models/queue-item.ts'
import { Random, Zipf } from '../../kernel/random.ts'

it('keeps what is used while a scan ten times its size goes through', () => {
  const cache = new EvictingMap<number>(100)
  for (let key = 0; key < 50; key++) cache.set(`used ${key}`, key, 1)
  for (let use = 0; use < 2; use++) for (let key = 0; key < 50; key++) cache.get(`used ${key}`)
  for (let key = 0; key < 1000; key++) cache.set(`scanned ${key}`, key, 1)
  const kept = Array.from({ length: 50 }, (_, key) => cache.get(`used ${key}`))
  expect(kept).toEqual(Array.from({ length: 50 }, (_, key) => key))
})

it('lets go in the end of what is used no longer', () => {
  const cache = new EvictingMap<string>(100)
  for (let use = 0; use < 10; use++) if (!cache.get('once')) cache.set('once', 'once', 10)
  for (let key = 0; key < 1000; key++) {
    cache.set(`${key}`, 'new', 10)
    cache.get(`${key}`)
    cache.get(`${key}`)
  }
  expect(cache.get('once')).toBeUndefined()
})

it('takes what comes back soon for something that is used', () => {
  const cache = new EvictingMap<string>(100)
  for (let key = 0; key < 15; key++) cache.set(`${key}`, 'first', 10)
  expect(cache.get('0')).toBeUndefined()
  cache.set('0', 'again', 10)
  for (let key = 100; key < 200; key++) cache.set(`${key}`, 'scan', 10)
  expect(cache.get('0')).toBe('again')
})

it('forgets at once what is deleted, and everything when cleared', () => {
  const cache = new EvictingMap<number>(100)
  for (let key = 0; key < 40; key++) cache.set(`${key}`, key, 7)
  const key = `${[...cache.values()][3]}`
  cache.delete(key)
  cache.delete('never there')
  expect(cache.get(key)).toBeUndefined()
  cache.clear()
  expect([cache.bytes, cache.size, [...cache.values()]]).toEqual([0, 0, []])
  for (let key = 0; key < 40; key++) cache.set(`${key}`, key, 7)
  expect(cache.bytes).toBe(98)
})

it('tells whoever found an item whether it is held still', () => {
  const cache = new EvictingMap<string>(100)
  const isHeld = (item: ItemOf<string> | undefined) => item?.queue !== undefined && !item.isDropped
  cache.set('key', 'old', 10)
  const old = cache.items.peek('key')
  expect(isHeld(old)).toBe(true)
  cache.set('key', 'new', 90)
  const now = cache.items.peek('key')
  expect([isHeld(old), isHeld(now), cache.get('key'), cache.bytes]).toEqual([false, true, 'new', 90])
  cache.set('key', 'larger than all of it', 101)
  expect([isHeld(now), cache.get('key'), cache.bytes]).toEqual([false, undefined, 0])
  for (const lose of [() => cache.clear(), () => cache.delete('key'), () => cache.set('other', 'all of it', 100)]) {
    cache.set('key', 'again', 10)
    const again = cache.items.peek('key')
    lose()
    expect(isHeld(again)).toBe(false)
  }
})

it('counts the uses of what was replaced for what is in its place', () => {
  const cache = new EvictingMap<number>(100)
  cache.set('key', 0, 10)
  for (let use = 0; use < 2; use++) cache.get('key')
  cache.set('key', 1, 10)
  for (let key = 0; key < 20; key++) cache.set(`${key}`, key, 10)
  expect(cache.get('key')).toBe(1)
})

it('keeps what fills all of it, and nothing larger, nor what that would have replaced', () => {
  const cache = new EvictingMap<string>(100)
  cache.set('a', 'all of it', 100)
  expect([cache.get('a'), cache.bytes]).toEqual(['all of it', 100])
  cache.set('a', 'more', 101)
  expect([cache.get('a'), cache.bytes, cache.size]).toEqual([undefined, 0, 0])
})

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))

it(`never holds more than it may, counts to the byte, and gives back only what was set last (TEST_SEED=${seed})`, () => {
  const random = new Random(seed)
  const popularity = new Zipf(300)
  for (let run = 0; run < 20; run++) {
    const maxBytes = 1 + random.below(5000)
    const cache = new EvictingMap<Value>(maxBytes)
    /** What was set last and not deleted since. Some of it is held. */
    const set = new Map<string, Value>()
    for (let step = 0; step < 2000; step++) {
      const key = `key ${popularity.pick(random)}`
      const dice = random.below(1000)
      if (dice < 500) {
        const value = cache.get(key)
        if (value) expect(value).toBe(set.get(key))
      } else if (dice < 960) {
        const value = { key, bytes: 1 + random.below(random.below(20) === 0 ? 2 * maxBytes : 100) }
        cache.set(key, value, value.bytes)
        set.set(key, value)
        if (value.bytes <= maxBytes) expect(cache.get(key)).toBe(value)
        else expect(cache.get(key)).toBeUndefined()
      } else if (dice < 999) {
        cache.delete(key)
        set.delete(key)
        expect(cache.get(key)).toBeUndefined()
      } else {
        cache.clear()
        set.clear()
      }
      const held = cache.values()
      if (held.some((value) => set.get(value.key) !== value))
        throw new Error(`Step ${step} of run ${run}: held is old.`)
      const bytes = held.reduce((sum, value) => sum + value.bytes, 0)
      if (cache.bytes !== bytes || bytes > maxBytes || cache.size !== held.length) {
        throw new Error(`Step ${step} of run ${run}: ${cache.bytes} bytes counted, ${bytes} held, ${maxBytes} allowed.`)
      }
    }
  }
})

interface Value {
  readonly key: string
  readonly bytes: number
}
