import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { Packr } from 'msgpackr'
import type { Entry } from '../entry.ts'

/**
 * How an entry is written to a remote tier:
 *
 *   byte 0     format: PLAIN or DEFLATED
 *   bytes 1–4  CRC-32 of the format, the key and everything that follows (so a value under a foreign key is refused too)
 *   rest       MessagePack array, raw-deflated (RFC 1951) if the format is DEFLATED:
 *              epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, [value] or [] if it doesn't exist
 *
 * Codec and compression were chosen by `npm run bench -- codecs compression`.
 */
const PLAIN = 2
const DEFLATED = 3
const HEADER_BYTES = 5

/** HAZARD: a forged body of a few KB could fill the heap: none is inflated beyond this. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024

/** An entry with more tags is not stored. HAZARD: each tag of a forged entry costs time whenever it is judged. */
export const MAX_TAGS = 10_000

// Buffers are copied out: a view would keep all of what the socket read alive.
const packr = new Packr({ useRecords: false, useBigIntExtension: true, copyBuffers: true })

export interface EncodeOptions {
  /** Longer bodies are compressed if that makes them smaller. Default 4096; Infinity: none is. */
  readonly compressAboveBytes?: number
}

export function encodeEntry(entry: Entry, { compressAboveBytes = 4096 }: EncodeOptions = {}): Buffer {
  const { key, epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value } = entry
  const body = packr.pack([epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value === undefined ? [] : [value]])
  if (body.length > compressAboveBytes && body.length <= MAX_INFLATED_BYTES) {
    const deflated = deflateRawSync(body, { level: 1 })
    if (deflated.length < body.length) return seal(DEFLATED, key, deflated)
  }
  return seal(PLAIN, key, body)
}

/**
 * The entry that was stored under `key`. Undefined if the bytes are none: in another format, of another key, damaged, cut
 * short or forged. Never throws.
 *
 * @example
 * const bytes = await redis.getBuffer(key)
 * const entry = bytes && decodeEntry<City>(key, bytes)
 */
export function decodeEntry<V>(key: string, bytes: Buffer): Entry<V> | undefined {
  const format = bytes[0]
  if (bytes.length <= HEADER_BYTES || (format !== PLAIN && format !== DEFLATED)) return undefined
  const stored = bytes.subarray(HEADER_BYTES)
  if (bytes.readUInt32BE(1) !== checksum(format, key, stored)) return undefined
  try {
    const body = format === DEFLATED ? inflateRawSync(stored, { maxOutputLength: MAX_INFLATED_BYTES }) : stored
    const fields: unknown = packr.unpack(body)
    if (!isEntry<V>(fields)) return undefined
    const [epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, [value]] = fields
    return { key, epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value, marks: undefined }
  } catch {
    // Only a forgery comes here: its checksum is right and its body isn't.
    return undefined
  }
}

function seal(format: number, key: string, stored: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + stored.length)
  bytes[0] = format
  bytes.writeUInt32BE(checksum(format, key, stored), 1)
  stored.copy(bytes, HEADER_BYTES)
  return bytes
}

/** Begins at the format, so that a plain body isn't taken for a deflated one. */
const checksum = (format: number, key: string, stored: Buffer): number => crc32(stored, crc32(key, format))

type Fields<V> = [
  epoch: string,
  asOf: number,
  storedAtMs: number,
  staleAtMs: number,
  loadMs: number,
  tags: string[],
  value: [V] | [],
]

/** The value is not checked: the key names the kind and its version, which made it. */
function isEntry<V>(fields: unknown): fields is Fields<V> {
  if (!Array.isArray(fields) || fields.length !== 7) return false
  const [epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value] = fields
  return (
    typeof epoch === 'string' &&
    Number.isSafeInteger(asOf) &&
    asOf >= 0 &&
    [storedAtMs, staleAtMs, loadMs].every(Number.isFinite) &&
    loadMs >= 0 &&
    Array.isArray(tags) &&
    tags.length <= MAX_TAGS &&
    tags.every((tag) => typeof tag === 'string') &&
    Array.isArray(value) &&
    value.length <= 1
  )
}
