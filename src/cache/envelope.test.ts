import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Entry } from './entry.ts'
import { decodeEntry, encodeEntry } from './envelope.ts'

const sample: Entry = {
  key: 'stet:article.1:42',
  epoch: '1f0c2a9be77d',
  asOf: 1234,
  tags: ['articles:42', 'articles'],
  value: { id: 42, title: 'Größe — размер', at: new Date('2026-01-02T03:04:05.678Z'), tags: ['a', 'b'], more: null },
  storedAtMs: Date.UTC(2026, 0, 2),
  staleAtMs: Date.UTC(2026, 0, 2) + 299_999.25,
}

it('brings back what it was given', () => {
  expect(decodeEntry(sample.key, encodeEntry(sample))).toStrictEqual(sample)
})

for (const [name, value] of Object.entries({
  'a date': new Date(-1),
  'a bigint': 2n ** 62n,
  'a bigint of more than 64 bits': -(2n ** 200n),
  'a number beyond 32 bits': 2 ** 52 + 1,
  'a fraction': 0.1,
  null: null,
  false: false,
  'an empty text': '',
  'a member that is undefined': { result: undefined },
  'what lies deep': { a: [{ b: [[new Date(5), { c: 1n }]] }] },
  'an emoji': '🦉',
})) {
  it(`brings back ${name}`, () => {
    expect(decodeEntry('k', encodeEntry({ ...sample, key: 'k', value }))?.value).toStrictEqual(value)
  })
}

it('tells a value that is known not to exist from bytes that are no entry', () => {
  const decoded = decodeEntry('k', encodeEntry({ ...sample, key: 'k', value: undefined }))
  expect(decoded).toStrictEqual({ ...sample, key: 'k', value: undefined })
})

it('gives buffers memory of their own, not a view of what Redis sent', () => {
  const value = Buffer.from('bytes')
  const bytes = encodeEntry({ ...sample, value })
  const decoded = decodeEntry<Buffer>(sample.key, bytes)
  bytes.fill(0)
  expect(Buffer.from(decoded?.value ?? '')).toEqual(value)
  expect(decoded?.value?.buffer).not.toBe(bytes.buffer)
})

it('refuses every truncation', () => {
  const bytes = encodeEntry(sample)
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeEntry(sample.key, bytes.subarray(0, length))).toBeUndefined()
  }
})

it('refuses every change of a single byte', () => {
  const bytes = encodeEntry(sample)
  for (let index = 0; index < bytes.length; index++) {
    const original = bytes.readUInt8(index)
    for (let other = 0; other < 256; other++) {
      if (other === original) continue
      bytes[index] = other
      if (decodeEntry(sample.key, bytes)) throw new Error(`took byte ${index} as ${other} for ${original}`)
    }
    bytes[index] = original
  }
  expect(decodeEntry(sample.key, bytes)).toStrictEqual(sample)
})

it('refuses what follows an entry', () => {
  expect(decodeEntry(sample.key, Buffer.concat([encodeEntry(sample), Buffer.of(0)]))).toBeUndefined()
})

it('refuses an entry under a foreign key', () => {
  expect(decodeEntry('stet:article.1:43', encodeEntry(sample))).toBeUndefined()
  expect(decodeEntry(`${sample.key} `, encodeEntry(sample))).toBeUndefined()
})

it('refuses another format', () => {
  const bytes = encodeEntry(sample)
  bytes[0] = 2
  expect(decodeEntry(sample.key, bytes)).toBeUndefined()
})

it('takes any bytes without a throw, and none that it did not write', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, plausible) => {
      const buffer = Buffer.from(bytes)
      if (plausible && buffer.length > 0) buffer[0] = 1
      expect(decodeEntry('k', buffer)).toBeUndefined()
    }),
    { numRuns: 2000 },
  )
})

it('brings back any plain value', () => {
  const plain = fc.anything({ withBigInt: true, withDate: true, maxDepth: 4 }).filter(isFaithful)
  fc.assert(
    fc.property(plain, fc.string(), (value, key) => {
      expect(decodeEntry(key, encodeEntry({ ...sample, key, value }))).toEqual({ ...sample, key, value })
    }),
    { numRuns: 500 },
  )
})

/** `__proto__` is no member that anybody should store, an invalid date no date, and -0 comes back as 0. */
function isFaithful(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return !Object.is(value, -0)
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  return Object.entries(value).every(([key, member]) => key !== '__proto__' && isFaithful(member))
}
