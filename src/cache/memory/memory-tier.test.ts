import { expect, it } from '@jest/globals'
import type { Entry } from '../entry.ts'
import { MemoryTier } from './memory-tier.ts'

it('gives back the entry that it was given, with the very value', () => {
  const tier = new MemoryTier({ maxBytes: 10_000 })
  const entry = { ...entryOf('a', { title: 'One' }), asOf: 7, marks: 'ab', retryAtMs: 5 }
  tier.set(entry)
  expect(tier.get('a')).toMatchObject(entry)
  expect(tier.get('a')?.value).toBe(entry.value)
  expect(tier.get('b')).toBeUndefined()
})

it('shows an entry in JSON without what stands beside it', () => {
  const tier = new MemoryTier({ maxBytes: 10_000 })
  const entries = ['a', 'b', 'c'].map((key) => entryOf(key, { title: key }))
  for (const entry of entries) tier.set(entry)
  expect(JSON.parse(JSON.stringify([...tier.entries()]))).toEqual(entries)
})

it('never takes more bytes than it may, and keeps what is in use', () => {
  const tier = new MemoryTier({ maxBytes: 10_000 })
  for (const key of ['a', 'b', 'c']) tier.set(entryOf(key, 'x'.repeat(2_500)))
  for (let use = 0; use < 2; use++) tier.get('a')
  tier.set(entryOf('d', 'x'.repeat(2_500)))
  expect(tier.bytes).toBeLessThanOrEqual(10_000)
  expect([...tier.entries()].map(({ key }) => key)).toEqual(['a', 'c', 'd'])
})

it('does not keep what is larger than all of it, nor the entry that was to be replaced', () => {
  const tier = new MemoryTier({ maxBytes: 10_000 })
  tier.set(entryOf('a', 'small'))
  tier.set(entryOf('a', 'x'.repeat(10_000)))
  expect(tier.get('a')).toBeUndefined()
  expect(tier.bytes).toBe(0)
})

it('counts what an entry no longer takes once it is replaced or deleted', () => {
  const tier = new MemoryTier({ maxBytes: 100_000 })
  tier.set(entryOf('a', 'x'.repeat(5_000)))
  tier.set(entryOf('a', 'x'))
  expect(tier.bytes).toBeLessThan(1_000)
  tier.delete('a')
  expect(tier.bytes).toBe(0)
})

it('looks through its entries without counting them as used', () => {
  const tier = new MemoryTier({ maxBytes: 10_000 })
  for (const key of ['a', 'b', 'c']) tier.set(entryOf(key, 'x'.repeat(2_500)))
  for (let time = 0; time < 2; time++) for (const _ of tier.entries());
  tier.set(entryOf('d', 'x'.repeat(2_500)))
  expect(tier.get('a')).toBeUndefined()
})

it('counts tags too: an answer that depends on much is not small', () => {
  const tier = new MemoryTier({ maxBytes: 100_000 })
  const tags = Array.from({ length: 1000 }, (_, id) => `articles:${id}`)
  tier.set({ ...entryOf('a', 'small'), tags })
  expect(tier.bytes).toBeGreaterThan(30_000)
})

function entryOf(key: string, value: unknown): Entry {
  return { key, epoch: 'a', asOf: 0, tags: ['a'], value, loadMs: 0, storedAtMs: 0, staleAtMs: 1 }
}
