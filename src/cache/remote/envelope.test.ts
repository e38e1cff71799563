import { randomBytes } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { pack } from 'msgpackr'
import { Keyring } from '../../redis/index.ts'
import type { Entry } from '../entry.ts'
import { decodeEntry, encodeEntry } from './envelope.ts'

const sample: Entry = {
  key: 'stet:article.1:42',
  epoch: '1f0c2a9be77d',
  asOf: 1234,
  tags: ['articles:42', 'articles'],
  value: { id: 42, title: 'Größe — размер', at: new Date('2026-01-02T03:04:05.678Z'), tags: ['a', 'b'], more: null },
  storedAtMs: Date.UTC(2026, 0, 2),
  staleAtMs: Date.UTC(2026, 0, 2) + 299_999.25,
  loadMs: 12.75,
  marks: undefined,
  lastRecord: { position: 1234, writtenAtUs: 1_767_312_000_000_123 },
}

const long: Entry = {
  ...sample,
  value: { id: 42, body: 'It stands until a committed write says otherwise. '.repeat(9) },
}

/** As it is stored, compressed and not. */
const envelopes = { plain: encodeEntry(long), compressed: encodeEntry(long, { compressAboveBytes: 100 }) }

it('brings back what it was given', () => {
  expect(decodeEntry(sample.key, encodeEntry(sample))).toStrictEqual(sample)
})

const keyring = new Keyring(['a secret that is long enough for that'], 'tests')

for (const [name, options] of Object.entries({
  signed: { keyring },
  sealed: { keyring, isPrivate: true },
  'signed and compressed': { keyring, compressAboveBytes: 100 },
  'sealed and compressed': { keyring, isPrivate: true, compressAboveBytes: 100 },
})) {
  const bytes = encodeEntry(long, options)

  it(`brings back what was ${name} to who has the secret, and nothing to others`, () => {
    expect(decodeEntry(long.key, bytes, keyring)).toStrictEqual(long)
    expect(decodeEntry(long.key, bytes)).toBeUndefined()
    const others = new Keyring(['another secret that is long enough, too'], 'tests')
    expect(decodeEntry(long.key, bytes, others)).toBeUndefined()
  })

  it(`refuses under another key what was ${name}`, () => {
    expect(decodeEntry('stet:article.1:43', bytes, keyring)).toBeUndefined()
  })

  it(`refuses what was ${name} and then changed in any byte, or cut short`, () => {
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = Number(changed[at]) ^ 1
      expect(decodeEntry(long.key, changed, keyring)).toBeUndefined()
      expect(decodeEntry(long.key, bytes.subarray(0, at), keyring)).toBeUndefined()
    }
  })
}

it('shows nothing of what is sealed, neither value nor tags', () => {
  const bytes = encodeEntry(long, { keyring, isPrivate: true }).toString('latin1')
  for (const text of ['stands', 'articles', '1f0c2a9be77d']) expect(bytes).not.toContain(text)
})

it('refuses with a secret what is not signed, whatever its checksum', () => {
  for (const bytes of Object.values(envelopes)) expect(decodeEntry(long.key, bytes, keyring)).toBeUndefined()
})

it('encodes nothing private without a secret', () => {
  const message = `${sample.key} is private, and there is no secret to seal it with.`
  expect(() => encodeEntry(sample, { isPrivate: true })).toThrow(new TypeError(message))
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

it('compresses what is longer than it is told, and brings it back', () => {
  expect(envelopes.compressed.length).toBeLessThan(envelopes.plain.length / 2)
  for (const bytes of Object.values(envelopes)) expect(decodeEntry(long.key, bytes)).toStrictEqual(long)
})

it('compresses by itself what is longer than 4096 bytes', () => {
  expect(encodeEntry({ ...sample, value: 'x'.repeat(4000) }).length).toBeGreaterThan(4000)
  expect(encodeEntry({ ...sample, value: 'x'.repeat(4100) }).length).toBeLessThan(400)
})

it('does not keep compressed what that does not make smaller', () => {
  const value = randomBytes(5000)
  const bytes = encodeEntry({ ...sample, value }, { compressAboveBytes: 0 })
  expect(bytes).toEqual(encodeEntry({ ...sample, value }, { compressAboveBytes: Infinity }))
})

it('gives buffers memory of their own when they were compressed, too', () => {
  const value = Buffer.alloc(10_000, 'bytes')
  const decoded = decodeEntry<Buffer>(sample.key, encodeEntry({ ...sample, value }))
  expect(Buffer.from(decoded?.value ?? '')).toEqual(value)
  expect(decoded?.value?.buffer.byteLength).toBe(10_000)
})

it('does not inflate a forgery beyond 64 MiB', () => {
  const bomb = deflateRawSync(pack([...fieldsOf(sample), [Buffer.alloc(65 * 1024 * 1024)]]), { level: 9 })
  expect(bomb.length).toBeLessThan(100_000)
  expect(decodeEntry(sample.key, forge(3, sample.key, bomb))).toBeUndefined()
})

it('does not compress what it would then refuse to inflate', () => {
  const value = Buffer.alloc(65 * 1024 * 1024)
  expect(decodeEntry<Buffer>('k', encodeEntry({ ...sample, key: 'k', value }))?.value?.length).toBe(value.length)
})

it('refuses a forgery that is no entry, though its checksum is right', () => {
  const fields = [...fieldsOf(sample), [1], sample.lastRecord?.writtenAtUs]
  expect(decodeEntry('k', forge(2, 'k', pack(fields)))).toStrictEqual({ ...sample, key: 'k', value: 1 })
  const wrong = [
    null,
    1,
    'text',
    {},
    [],
    fields.slice(0, 7),
    [...fields, 1],
    fields.with(0, 1),
    fields.with(1, Number.NaN),
  ]
  wrong.push(
    fields.with(4, '1'),
    fields.with(5, 'articles'),
    fields.with(5, [1]),
    fields.with(6, 1),
    fields.with(6, [1, 2]),
    fields.with(7, '1'),
  )
  for (const body of wrong) expect(decodeEntry('k', forge(2, 'k', pack(body)))).toBeUndefined()
})

it.each(Object.entries(envelopes))('refuses every truncation, %s', (_, bytes) => {
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeEntry(long.key, bytes.subarray(0, length))).toBeUndefined()
  }
})

it('refuses every truncation of a small one', () => {
  const bytes = encodeEntry(sample)
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeEntry(sample.key, bytes.subarray(0, length))).toBeUndefined()
  }
})

it.each([
  ['plain', sample, encodeEntry(sample)],
  ['compressed', long, envelopes.compressed],
] as const)('refuses every change of a single byte, %s', (_, entry, original) => {
  const bytes = Buffer.from(original)
  for (const [index, byte] of original.entries()) {
    for (let other = 0; other < 256; other++) {
      if (other === byte) continue
      bytes[index] = other
      if (decodeEntry(entry.key, bytes)) throw new Error(`took byte ${index} as ${other} for ${byte}`)
    }
    bytes[index] = byte
  }
  expect(decodeEntry(entry.key, bytes)).toStrictEqual(entry)
})

it('refuses what follows an entry', () => {
  expect(decodeEntry(sample.key, Buffer.concat([encodeEntry(sample), Buffer.of(0)]))).toBeUndefined()
})

it('refuses an entry under a foreign key', () => {
  expect(decodeEntry('stet:article.1:43', encodeEntry(sample))).toBeUndefined()
  expect(decodeEntry(`${sample.key} `, encodeEntry(sample))).toBeUndefined()
})

it('refuses every other format', () => {
  for (const [index, bytes] of Object.values(envelopes).entries()) {
    for (let format = 0; format < 256; format++) {
      const other = Buffer.from(bytes)
      other[0] = format
      if (format !== 2 + index) expect(decodeEntry(long.key, other)).toBeUndefined()
    }
  }
})

const plausible = fc.constantFrom(2, 3)

it('takes any bytes without a throw, and none that it did not write', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.option(plausible), (bytes, format) => {
      const buffer = Buffer.from(bytes)
      if (format !== null && buffer.length > 0) buffer[0] = format
      expect(decodeEntry('k', buffer)).toBeUndefined()
    }),
    { numRuns: 2000 },
  )
})

it('takes any body under a right checksum without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), plausible, fc.boolean(), (body, format, deflate) => {
      const stored = deflate ? deflateRawSync(body) : body
      expect(() => decodeEntry('k', forge(format, 'k', stored))).not.toThrow()
    }),
    { numRuns: 3000 },
  )
})

it('brings back the entry or nothing from whatever became of it', () => {
  const bytes = fc.constantFrom(...Object.values(envelopes))
  fc.assert(
    fc.property(bytes, fc.array(damage, { maxLength: 4 }), (original, damages) => {
      const changed = damages.reduce<Buffer>((now, change) => change(now), Buffer.from(original))
      const decoded = decodeEntry(long.key, changed)
      if (changed.equals(original)) expect(decoded).toStrictEqual(long)
      else expect(decoded).toBeUndefined()
    }),
    { numRuns: 5000 },
  )
})

it('throws nothing and keeps the shape of an entry when what was damaged got a right checksum', () => {
  const bytes = fc.constantFrom(...Object.values(envelopes))
  fc.assert(
    fc.property(bytes, fc.array(damage, { minLength: 1, maxLength: 4 }), (original, damages) => {
      const changed = damages.reduce<Buffer>((now, change) => change(now), original.subarray(5))
      const decoded = decodeEntry(long.key, forge(original.readUInt8(0), long.key, changed))
      if (decoded) expect(decoded).toMatchObject({ key: long.key, asOf: expect.any(Number), tags: expect.any(Array) })
    }),
    { numRuns: 5000 },
  )
})

it('brings back any plain value', () => {
  const plain = fc.anything({ withBigInt: true, withDate: true, maxDepth: 4 }).filter(isFaithful)
  fc.assert(
    fc.property(plain, fc.string(), fc.constantFrom(0, 4096), (value, key, compressAboveBytes) => {
      const entry = { ...sample, key, value }
      expect(decodeEntry(key, encodeEntry(entry, { compressAboveBytes }))).toEqual(entry)
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

/** What may become of bytes: some overwritten, a bit turned, cut short at either end, something put between, a stretch doubled. */
const damage = fc.oneof(
  fc.tuple(fc.nat(999), fc.uint8Array({ maxLength: 9 })).map(([at, bytes]) => (now: Buffer) => {
    const changed = Buffer.from(now)
    changed.set(bytes.subarray(0, Math.max(0, now.length - at)), Math.min(at, now.length))
    return changed
  }),
  fc.tuple(fc.nat(999), fc.nat(7)).map(([at, bit]) => (now: Buffer) => {
    const changed = Buffer.from(now)
    if (at < now.length) changed[at] = now.readUInt8(at) ^ (1 << bit)
    return changed
  }),
  fc.tuple(fc.nat(999), fc.nat(999)).map(
    ([from, to]) =>
      (now: Buffer) =>
        now.subarray(from, to),
  ),
  fc.nat(999).map((length) => (now: Buffer) => now.subarray(0, length)),
  fc.tuple(fc.nat(999), fc.uint8Array({ maxLength: 9 })).map(
    ([at, bytes]) =>
      (now: Buffer) =>
        Buffer.concat([now.subarray(0, at), bytes, now.subarray(at)]),
  ),
  fc.tuple(fc.nat(999), fc.nat(999)).map(
    ([from, to]) =>
      (now: Buffer) =>
        Buffer.concat([now.subarray(0, to), now.subarray(from)]),
  ),
)

const fieldsOf = ({ epoch, asOf, storedAtMs, staleAtMs, loadMs, tags }: Entry): unknown[] => [
  epoch,
  asOf,
  storedAtMs,
  staleAtMs,
  loadMs,
  tags,
]

/** What somebody could write to Redis who knows the format. */
function forge(format: number, key: string, stored: Uint8Array): Buffer {
  const header = Buffer.of(format, 0, 0, 0, 0)
  header.writeUInt32BE(crc32(stored, crc32(key, format)), 1)
  return Buffer.concat([header, stored])
}
