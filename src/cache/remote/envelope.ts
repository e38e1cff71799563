import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { Packr } from 'msgpackr'
import { type Keyring, SIGNATURE_BYTES } from '../../redis/index.ts'
import type { Entry } from '../entry.ts'

/**
 * How an entry is written to a remote tier:
 *
 *   byte 0  format: CHECKED, SIGNED or SEALED, plus 1 if the body is raw-deflated (RFC 1951)
 *   rest    CHECKED  a CRC-32 of 4 bytes, and the body
 *           SIGNED   a signature of 20 bytes, and the body: see `Keyring.sign`
 *           SEALED   the body under AES-256-GCM: see `Keyring.seal`
 *   body    MessagePack array: epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, [value] or [] if it doesn't exist,
 *           when the record at `asOf` was written, or the last one that the value shows
 *
 * All three cover the format and the key, so a value under a foreign key is refused too. With a keyring only what is signed or
 * sealed is an entry; without one, only what is neither.
 *
 * Codec and compression were chosen by `npm run bench -- codecs compression`.
 */
const CHECKED = 2
const SIGNED = 4
const SEALED = 6
type Form = typeof CHECKED | typeof SIGNED | typeof SEALED
const DEFLATED = 1
const CRC_BYTES = 4

/** HAZARD: a forged body of a few KB could fill the heap: none is inflated beyond this. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024

/** An entry with more tags is not stored. HAZARD: each tag of a forged entry costs time whenever it is judged. */
export const MAX_TAGS = 10_000

// Buffers are copied out: a view would keep all of what the socket read alive.
const packr = new Packr({ useRecords: false, useBigIntExtension: true, copyBuffers: true })

export interface EncodeOptions {
  /** Longer bodies are compressed if that makes them smaller. Default 4096; Infinity: none is. */
  readonly compressAboveBytes?: number
  /** Signs entries. Default: they are not signed. */
  readonly keyring?: Keyring | undefined
  /** Whether to seal this entry, because not everyone who can read the remote tier may know it. HAZARD: needs a keyring. */
  readonly isPrivate?: boolean
  /** Default: the entry's own. */
  readonly lastRecord?: Entry['lastRecord']
}

/** Throws a `TypeError` if the entry is private and there is no keyring. An entry without `lastRecord` is of no history that any log holds. */
export function encodeEntry(entry: Entry, options: EncodeOptions = {}): Buffer {
  const { compressAboveBytes = 4096, keyring, isPrivate = false, lastRecord = entry.lastRecord } = options
  if (isPrivate && !keyring) throw new TypeError(`${entry.key} is private, and there is no secret to seal it with.`)
  const { key, epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value } = entry
  const form: Form = isPrivate ? SEALED : keyring ? SIGNED : CHECKED
  const held = value === undefined ? [] : [value]
  const body = packr.pack([epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, held, lastRecord?.writtenAtUs ?? 0])
  if (body.length > compressAboveBytes && body.length <= MAX_INFLATED_BYTES) {
    const deflated = deflateRawSync(body, { level: 1 })
    if (deflated.length < body.length) return wrap(form | DEFLATED, key, deflated, keyring)
  }
  return wrap(form, key, body, keyring)
}

/**
 * The entry that was stored under `key`. Undefined if the bytes are none: in another format, of another key, damaged, cut
 * short, or not by who has a secret of the keyring. Never throws.
 *
 * @example
 * const bytes = await redis.getBuffer(key)
 * const entry = bytes && decodeEntry<City>(key, bytes)
 */
export function decodeEntry<V>(key: string, bytes: Buffer, keyring?: Keyring): Entry<V> | undefined {
  const stored = unwrap(key, bytes, keyring)
  if (!stored) return undefined
  try {
    const body = Number(bytes[0]) & DEFLATED ? inflateRawSync(stored, { maxOutputLength: MAX_INFLATED_BYTES }) : stored
    const fields: unknown = packr.unpack(body)
    if (!isEntry<V>(fields)) return undefined
    const [epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, [value], writtenAtUs] = fields
    return {
      key,
      epoch,
      asOf,
      storedAtMs,
      staleAtMs,
      loadMs,
      tags,
      value,
      marks: undefined,
      lastRecord: { position: asOf, writtenAtUs },
    }
  } catch {
    // Only a forgery comes here, and only without a keyring: its checksum is right and its body isn't.
    return undefined
  }
}

function wrap(format: number, key: string, stored: Buffer, keyring: Keyring | undefined): Buffer {
  const head = Buffer.from([format])
  const context = contextOf(format, key)
  if (!keyring) {
    const crc = Buffer.alloc(CRC_BYTES)
    crc.writeUInt32BE(checksum(format, key, stored))
    return Buffer.concat([head, crc, stored])
  }
  if ((format & ~DEFLATED) === SEALED) return Buffer.concat([head, keyring.seal(context, stored)])
  return Buffer.concat([head, keyring.sign(context, stored), stored])
}

/** What `wrap` was given as `stored`. */
function unwrap(key: string, bytes: Buffer, keyring: Keyring | undefined): Buffer | undefined {
  const format = bytes[0] ?? 0
  const rest = bytes.subarray(1)
  switch (format & ~DEFLATED) {
    case CHECKED: {
      const stored = rest.subarray(CRC_BYTES)
      if (keyring || stored.length === 0) return undefined
      return rest.readUInt32BE() === checksum(format, key, stored) ? stored : undefined
    }
    case SIGNED: {
      const stored = rest.subarray(SIGNATURE_BYTES)
      return keyring?.verifies(contextOf(format, key), rest.subarray(0, SIGNATURE_BYTES), stored) ? stored : undefined
    }
    case SEALED:
      return keyring?.open(contextOf(format, key), rest)
    default:
      return undefined
  }
}

/** With the format, so that a plain body isn't taken for a deflated one. */
const contextOf = (format: number, key: string): string => `${format}${key}`

const checksum = (format: number, key: string, stored: Buffer): number => crc32(stored, crc32(key, format))

type Fields<V> = [
  epoch: string,
  asOf: number,
  storedAtMs: number,
  staleAtMs: number,
  loadMs: number,
  tags: string[],
  value: [V] | [],
  writtenAtUs: number,
]

/** The value is not checked: the key names the kind and its version, which made it. */
function isEntry<V>(fields: unknown): fields is Fields<V> {
  if (!Array.isArray(fields) || fields.length !== 8) return false
  const [epoch, asOf, storedAtMs, staleAtMs, loadMs, tags, value, writtenAtUs] = fields
  return (
    typeof epoch === 'string' &&
    Number.isSafeInteger(asOf) &&
    asOf >= 0 &&
    [storedAtMs, staleAtMs, loadMs, writtenAtUs].every(Number.isFinite) &&
    loadMs >= 0 &&
    Array.isArray(tags) &&
    tags.length <= MAX_TAGS &&
    tags.every((tag) => typeof tag === 'string') &&
    Array.isArray(value) &&
    value.length <= 1
  )
}
