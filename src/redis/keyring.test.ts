import { expect, it } from '@jest/globals'
import { Keyring } from './keyring.ts'

const [OLD, NEW, OTHER] = ['an old secret', 'a new secret', 'the secret of another'].map((secret) =>
  secret.padEnd(32, '!'),
)
const keyring = ringOf(OLD)
const bytes = Buffer.from('It stands until a committed write says otherwise.')

it('verifies what it has signed, in the context it was signed in', () => {
  const signature = keyring.sign('a', bytes)
  expect(signature).toHaveLength(20)
  expect(keyring.verifies('a', signature, bytes)).toBe(true)
  expect(keyring.verifies('b', signature, bytes)).toBe(false)
  expect(keyring.verifies('a', signature, Buffer.concat([bytes, bytes]))).toBe(false)
  // One text, cut elsewhere.
  expect(keyring.verifies('aI', signature, bytes.subarray(1))).toBe(false)
})

it('opens what it has sealed, in the context it was sealed in', () => {
  const sealed = keyring.seal('a', bytes)
  expect(sealed.includes(bytes.subarray(0, 5))).toBe(false)
  expect(keyring.open('a', sealed)).toEqual(bytes)
  expect(keyring.open('b', sealed)).toBeUndefined()
  expect(keyring.open('a', keyring.seal('a', Buffer.alloc(0)))).toEqual(Buffer.alloc(0))
})

it('seals the same differently each time', () => {
  expect(keyring.seal('a', bytes).subarray(4)).not.toEqual(keyring.seal('a', bytes).subarray(4))
})

it('refuses whatever was changed in a single bit, cut short, or drawn out', () => {
  const signature = keyring.sign('a', bytes)
  const sealed = keyring.seal('a', bytes)
  for (const [whole, accepts] of [
    [signature, (changed: Buffer) => keyring.verifies('a', changed, bytes)],
    [sealed, (changed: Buffer) => keyring.open('a', changed) !== undefined],
  ] as const) {
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = Buffer.from(whole)
      changed[bit >> 3] = Number(changed[bit >> 3]) ^ (1 << (bit & 7))
      expect(accepts(changed)).toBe(false)
    }
    for (let length = 0; length < whole.length; length++) expect(accepts(whole.subarray(0, length))).toBe(false)
    expect(accepts(Buffer.concat([whole, Buffer.alloc(1)]))).toBe(false)
  }
})

it('knows nothing of what was signed or sealed with another secret, or for another purpose', () => {
  for (const other of [ringOf(OTHER), new Keyring([String(OLD)], 'another purpose')]) {
    expect(keyring.verifies('a', other.sign('a', bytes), bytes)).toBe(false)
    expect(keyring.open('a', other.seal('a', bytes))).toBeUndefined()
  }
})

it('writes with the first secret, and reads with all of them', () => {
  const [reads, writes, after] = [ringOf(OLD, NEW), ringOf(NEW, OLD), ringOf(NEW)]
  for (const [writer, reader, understands] of [
    [keyring, reads, true],
    [reads, keyring, true],
    [writes, reads, true],
    [reads, writes, true],
    [writes, after, true],
    [writes, keyring, false],
    [reads, after, false],
  ] as const) {
    expect(reader.verifies('a', writer.sign('a', bytes), bytes)).toBe(understands)
    expect(reader.open('a', writer.seal('a', bytes)) !== undefined).toBe(understands)
  }
})

it('refuses no secret, and one that could be found by trying', () => {
  expect(() => new Keyring([], 'tests')).toThrow(new TypeError('A keyring needs a secret.'))
  const message = 'A secret has at least 32 bytes, not 5.'
  expect(() => new Keyring([String(OLD), 'short'], 'tests')).toThrow(new TypeError(message))
})

function ringOf(...secrets: readonly (string | undefined)[]): Keyring {
  return new Keyring(secrets.map(String), 'tests')
}
