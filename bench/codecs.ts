import { isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { Packr } from 'msgpackr'
import type { Entry } from '../src/cache/index.ts'
import { median } from './report.ts'
import { storedEntries } from './stored-entries.ts'

/** Compares encodings of entries for Redis, on entries that a server stored: bytes, time, and which values come back unchanged. */
export async function codecs(): Promise<void> {
  const kinds = await storedEntries()
  console.log(`\ncodecs: real entries; bytes, and the time to encode | to decode one as a multiple of MessagePack's`)
  console.log(`  ${''.padEnd(28)}${NAMES.map((name) => name.padEnd(24)).join('')}`)
  const all: Result[][] = []
  for (const [kind, entries] of kinds) {
    const results = compare(entries.slice(0, 200).map(fieldsOf))
    all.push(results)
    const [first] = results
    if (!first) continue
    const cells = results.map(({ bytes, encodeUs, decodeUs }) =>
      `${String(Math.round(bytes)).padStart(5)}  ${ratio(encodeUs, first.encodeUs)} | ${ratio(decodeUs, first.decodeUs)}`.padEnd(
        22,
      ),
    )
    console.log(
      `  ${kind.padEnd(28)}${cells.join('')}   (× 1.00 = ${first.encodeUs.toFixed(2)} | ${first.decodeUs.toFixed(2)} µs)`,
    )
  }
  const means = NAMES.map((_, codec) => {
    const mean = (of: (result: Result) => number) =>
      geometricMean(all.map((results) => of(results[codec] ?? NOTHING) / of(results[0] ?? NOTHING)))
    const [bytes, encode, decode] = [mean((r) => r.bytes), mean((r) => r.encodeUs), mean((r) => r.decodeUs)]
    return `× ${bytes.toFixed(2)} ${encode.toFixed(2)} | ${decode.toFixed(2)}`.padEnd(24)
  })
  console.log(`  ${'geometric mean of the kinds'.padEnd(28)}${means.join('')}`)

  console.log('\ncodecs: what comes back as it was')
  for (const [name, value] of Object.entries(probes)) {
    const cells = Object.values(codecList).map((codec) => (survives(codec, value) ? 'yes' : 'no').padEnd(24))
    console.log(`  ${name.padEnd(28)}${cells.join('')}`)
  }
}

interface Codec {
  encode(value: unknown): Buffer
  decode(bytes: Buffer): unknown
}

// With the options of src/cache/remote/envelope.ts.
const packr = new Packr({ useRecords: false, useBigIntExtension: true, copyBuffers: true })
// By a name that TypeScript doesn't follow: it is a package of the bench alone, and may not be installed.
const CBOR: string = 'cbor-x'
const { Encoder }: { Encoder: new (options: object) => Codec } = await import(CBOR)
const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, copyBuffers: true })

const codecList: Readonly<Record<string, Codec>> = {
  'MessagePack (msgpackr)': { encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) },
  'node:v8': { encode: serialize, decode: deserialize },
  'JSON, tagged': {
    encode: (value) => Buffer.from(JSON.stringify(value, tagged)),
    decode: (bytes) => JSON.parse(bytes.toString(), untagged),
  },
  'CBOR (cbor-x)': { encode: (value) => cbor.encode(value), decode: (bytes) => cbor.decode(bytes) },
}
const NAMES = Object.keys(codecList)

/** JSON has no dates, bigints or bytes: each becomes an object with one member, whose name says what it is. */
function tagged(this: Record<string, unknown>, name: string, value: unknown): unknown {
  // `value` has already gone through toJSON.
  const original = this[name]
  if (original instanceof Date) return { $date: original.getTime() }
  if (typeof original === 'bigint') return { $bigint: String(original) }
  if (Buffer.isBuffer(original)) return { $bytes: original.toString('base64') }
  return value
}

function untagged(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$date' in value) return new Date(value.$date as number)
  if ('$bigint' in value) return BigInt(value.$bigint as string)
  if ('$bytes' in value) return Buffer.from(value.$bytes as string, 'base64')
  return value
}

const probes: Readonly<Record<string, unknown>> = {
  'a date': new Date(1_234_567_890_123),
  'a bigint of 64 bits': 2n ** 62n + 1n,
  'a small bigint': 1n,
  'a bigint of 200 bits': -(2n ** 200n),
  'an integer beyond 32 bits': 2 ** 52 + 1,
  'undefined, not null': { absent: undefined, empty: null },
  'a buffer': Buffer.from([0, 1, 255]),
}

function survives(codec: Codec, value: unknown): boolean {
  try {
    const back = codec.decode(codec.encode({ value }))
    return isDeepStrictEqual(back, { value })
  } catch {
    return false
  }
}

interface Result {
  readonly bytes: number
  readonly encodeUs: number
  readonly decodeUs: number
}
const NOTHING: Result = { bytes: 1, encodeUs: 1, decodeUs: 1 }

/** Each codec's bytes and times for one entry. They take turns, so that other work on the machine disturbs all of them. */
function compare(values: readonly unknown[]): Result[] {
  const runs = Object.values(codecList).map((codec) => ({
    codec,
    encoded: values.map((value) => codec.encode(value)),
    encodings: [] as number[],
    decodings: [] as number[],
  }))
  const repeats = Math.ceil(400 / values.length)
  for (let round = 0; round < ROUNDS; round++) {
    for (const { codec, encoded, encodings, decodings } of runs) {
      encodings.push(timeUs(() => values.map((value) => codec.encode(value)), repeats) / values.length)
      decodings.push(timeUs(() => encoded.map((bytes) => codec.decode(bytes)), repeats) / values.length)
    }
  }
  return runs.map(({ encoded, encodings, decodings }) => ({
    bytes: encoded.reduce((sum, { length }) => sum + length, 0) / encoded.length,
    encodeUs: median(encodings),
    decodeUs: median(decodings),
  }))
}

const ROUNDS = 60

function timeUs(work: () => unknown, repeats: number): number {
  const startedAt = performance.now()
  for (let n = 0; n < repeats; n++) work()
  return ((performance.now() - startedAt) * 1000) / repeats
}

const fieldsOf = ({ epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value }: Entry): unknown[] => [
  epoch,
  asOf,
  storedAtMs,
  staleAtMs,
  loadMs,
  tags,
  value === undefined ? [] : [value],
]

const ratio = (value: number, first: number): string => (value / first).toFixed(2)
const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
