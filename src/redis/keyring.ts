import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * Signs and seals what lies in Redis, or passes through it, with keys derived from secrets by HKDF (RFC 5869). A keyring is for
 * one purpose: what one signed is nothing to another. The first secret writes, all of them read, so secrets can be exchanged
 * while processes run. The constructor throws a `TypeError` if there is no secret, or one shorter than 32 bytes.
 *
 * Everything is bound to a context, such as the key that a value is stored under: read in another context, it is refused.
 *
 * @example
 * const keyring = new Keyring([secret], 'prices')
 * const sealed = keyring.seal('prices:42', Buffer.from('9.99'))
 * keyring.open('prices:42', sealed) // 9.99
 * keyring.open('prices:43', sealed) // undefined
 */
export class Keyring {
  readonly #writer: Keys
  readonly #readers: readonly Keys[]

  constructor(secrets: readonly string[], purpose: string) {
    this.#readers = secrets.map((secret) => deriveKeys(secret, purpose))
    const [writer] = this.#readers
    if (!writer) throw new TypeError('A keyring needs a secret.')
    this.#writer = writer
  }

  /** A signature of `SIGNATURE_BYTES`: which secret, and an HMAC-SHA-256 cut to 128 bits (RFC 2104, section 5). */
  sign(context: string, bytes: Buffer): Buffer {
    return Buffer.concat([this.#writer.id, mac(this.#writer, context, bytes)])
  }

  /** Whether `signature` is that of these bytes in this context. Never throws. */
  verifies(context: string, signature: Buffer, bytes: Buffer): boolean {
    const keys = this.#keysOf(signature)
    if (!keys || signature.length !== SIGNATURE_BYTES) return false
    return timingSafeEqual(signature.subarray(ID_BYTES), mac(keys, context, bytes))
  }

  /**
   * The bytes under AES-256-GCM (NIST SP 800-38D). Each has a key of its own, derived from a random nonce: so a secret is good
   * for any number of them, which random nonces of GCM's own 96 bits are not.
   */
  seal(context: string, bytes: Buffer): Buffer {
    const { id, sealing } = this.#writer
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', keyFor(sealing, nonce), IV).setAAD(Buffer.from(context))
    const text = cipher.update(bytes)
    cipher.final()
    return Buffer.concat([id, nonce, cipher.getAuthTag(), text])
  }

  /** What was sealed in this context. Undefined if nothing was. Never throws. */
  open(context: string, sealed: Buffer): Buffer | undefined {
    const keys = this.#keysOf(sealed)
    if (!keys || sealed.length < TEXT_AT) return undefined
    const nonce = sealed.subarray(ID_BYTES, TAG_AT)
    const decipher = createDecipheriv('aes-256-gcm', keyFor(keys.sealing, nonce), IV, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(TAG_AT, TEXT_AT))
    const bytes = decipher.update(sealed.subarray(TEXT_AT))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return bytes
  }

  #keysOf(bytes: Buffer): Keys | undefined {
    return this.#readers.find(({ id }) => bytes.subarray(0, ID_BYTES).equals(id))
  }
}

const ID_BYTES = 4
const MAC_BYTES = 16
const NONCE_BYTES = 16
const TAG_BYTES = 16
const TAG_AT = ID_BYTES + NONCE_BYTES
const TEXT_AT = TAG_AT + TAG_BYTES
export const SIGNATURE_BYTES = ID_BYTES + MAC_BYTES

/** HAZARD: may be the same for all only because no two messages share a key. */
const IV = Buffer.alloc(12)

/** The keys that come of one secret. */
interface Keys {
  /** Tells secrets apart, and nothing about them. */
  readonly id: Buffer
  readonly signing: Buffer
  readonly sealing: Buffer
}

function deriveKeys(secret: string, purpose: string): Keys {
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw new TypeError(`A secret has at least ${MIN_SECRET_BYTES} bytes, not ${Buffer.byteLength(secret)}.`)
  }
  const derive = (use: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `stet ${purpose} ${use}`, length))
  return { id: derive('id', ID_BYTES), signing: derive('sign', 32), sealing: derive('seal', 32) }
}

const MIN_SECRET_BYTES = 32

/** The length of the context comes first: otherwise a part of the one could pass for a part of the other. */
function mac({ signing }: Keys, context: string, bytes: Buffer): Buffer {
  const name = Buffer.from(context)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return createHmac('sha256', signing).update(length).update(name).update(bytes).digest().subarray(0, MAC_BYTES)
}

const keyFor = (sealing: Buffer, nonce: Buffer): Buffer => createHmac('sha256', sealing).update(nonce).digest()
