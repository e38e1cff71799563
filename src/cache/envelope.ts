import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import type { Entry } from './entry.ts'

/**
 * How an entry is written to a remote tier:
 *
 *   byte 0     format version
 *   bytes 1–4  CRC-32 of the key and of everything that follows (so a value under a foreign key is refused too)
 *   rest       MessagePack array: epoch, asOf, storedAtMs, staleAtMs, tags, [value] or [] where it doesn't exist
 */
const FORMAT = 1
const HEADER_BYTES = 5

// Buffers are copied out: as views they would keep the whole of what the socket read alive.
const packr = new Packr({ useRecords: false, useBigIntExtension: true, copyBuffers: true })

export function encodeEntry(entry: Entry, _options?: object): Buffer {
  const { epoch, asOf, storedAtMs, staleAtMs, tags, value } = entry
  const body = packr.pack([epoch, asOf, storedAtMs, staleAtMs, tags, value === undefined ? [] : [value]])
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  bytes[0] = FORMAT
  bytes.writeUInt32BE(checksum(entry.key, body), 1)
  body.copy(bytes, HEADER_BYTES)
  return bytes
}

/** The entry, or undefined where the bytes are not one: written in another format, under another key, damaged or cut short. */
export function decodeEntry<V>(key: string, bytes: Buffer): Entry<V> | undefined {
  if (bytes.length <= HEADER_BYTES || bytes[0] !== FORMAT) return undefined
  const body = bytes.subarray(HEADER_BYTES)
  if (bytes.readUInt32BE(1) !== checksum(key, body)) return undefined
  // The checksum vouches for the body: it is an array that `encodeEntry` of this format wrote.
  const [epoch, asOf, storedAtMs, staleAtMs, tags, [value]] = packr.unpack(body) as [
    epoch: string,
    asOf: number,
    storedAtMs: number,
    staleAtMs: number,
    tags: string[],
    value: [V] | [],
  ]
  return { key, epoch, asOf, loadMs: 0, storedAtMs, staleAtMs, tags, value }
}

const checksum = (key: string, body: Buffer): number => crc32(body, crc32(key))
