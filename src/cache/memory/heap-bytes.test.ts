import { expect, it } from '@jest/globals'
import { heapBytes } from './heap-bytes.ts'

/** How near this is to the real heap, `npm run bench -- memory` tells. */
it('counts a letter once, and twice in a text that goes beyond Latin-1', () => {
  const grown = heapBytes('a'.repeat(1000)) - heapBytes('a'.repeat(500))
  expect(grown).toBe(500)
  expect(heapBytes(`${'a'.repeat(999)}ж`) - heapBytes(`${'a'.repeat(499)}ж`)).toBe(2 * grown)
})

it('counts what objects and arrays hold, however deep', () => {
  const text = 'x'.repeat(10_000)
  for (const value of [[text], { text }, { deep: [{ text }] }]) expect(heapBytes(value)).toBeGreaterThan(10_000)
})

it('counts a small integer for nothing, and any other number for something', () => {
  expect(heapBytes([1, 2, 3])).toBe(heapBytes([4, 5, 6]))
  expect(heapBytes([1.5])).toBeGreaterThan(heapBytes([1]))
  expect(heapBytes([2 ** 40])).toBeGreaterThan(heapBytes([1]))
})

it('counts the bytes of a buffer', () => {
  expect(heapBytes(Buffer.alloc(5000)) - heapBytes(Buffer.alloc(1000))).toBe(4000)
})

it('counts nothing for what does not exist', () => {
  expect([heapBytes(undefined), heapBytes(null)]).toEqual([0, 0])
})
