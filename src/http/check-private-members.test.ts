import { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, it } from '@jest/globals'
import { checkPrivateMembers } from './check-private-members.ts'
import { privateMembers } from './wire.ts'

const { _send: send } = ServerResponse.prototype as unknown as { _send: (...args: unknown[]) => boolean }
const { emit } = ServerResponse.prototype
const { read } = IncomingMessage.prototype

afterEach(() => {
  Object.assign(ServerResponse.prototype, { _send: send, emit })
  IncomingMessage.prototype.read = read
})

it('uses the private members of this Node', async () => {
  expect(await checkPrivateMembers()).toBe(true)
  expect(privateMembers).toEqual({ push: true, send: true, order: true })
})

it('uses none if it may not', async () => {
  expect(await checkPrivateMembers({ mayUse: false })).toBe(false)
  expect(privateMembers).toEqual({ push: false, send: false, order: false })
})

it.each<[string, () => void]>([
  ['has no _send', () => Object.assign(ServerResponse.prototype, { _send: undefined })],
  ['sends something else', () => replaceSend((bytes) => bytes.toString('latin1').toUpperCase())],
  ['sends nothing', () => Object.assign(ServerResponse.prototype, { _send: () => true })],
  ['does not tell when a response is next', () => replaceEmit()],
  ['sends twice', () => replaceSend((bytes) => Buffer.concat([bytes, bytes]))],
  [
    'hands over another body',
    () => Object.assign(IncomingMessage.prototype, { read: alternately(Buffer.from('?'), null) }),
  ],
])('uses the public ones if a Node %s', async (_what, change) => {
  change()
  expect(await checkPrivateMembers()).toBe(false)
  expect(privateMembers).toEqual({ push: false, send: false, order: false })
})

/** Each value in turn. Node itself reads until it is given null. */
function alternately<T>(...values: readonly T[]): () => T | undefined {
  let calls = 0
  return () => values[calls++ % values.length]
}

function replaceSend(change: (bytes: Buffer) => unknown): void {
  Object.assign(ServerResponse.prototype, {
    _send(this: unknown, bytes: Buffer, ...rest: unknown[]) {
      return send.call(this, Buffer.isBuffer(bytes) ? change(bytes) : bytes, ...rest)
    },
  })
}

function replaceEmit(): void {
  Object.assign(ServerResponse.prototype, {
    emit(this: ServerResponse, event: string, ...rest: unknown[]) {
      return event !== 'socket' && emit.call(this, event, ...rest)
    },
  })
}
