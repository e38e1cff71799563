import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, expect, it } from '@jest/globals'
import { ByteBudget } from './byte-budget.ts'
import { checkPrivateMembers } from './check-private-members.ts'
import { readBody } from './wire.ts'

type Read = (request: IncomingMessage, response: ServerResponse, answer: (body: string) => void) => unknown

const budget = new ByteBudget({ maxBytes: 100_000, maxBytesPerAddress: 100_000, addressOf: () => 'here' })
const read: Read = (request, response, answer) =>
  readBody(request, response, { maxBytes: 1000, budget }, (body) => answer(body.toString()))

/** At which moment the body is read. */
const moments: Record<string, Read> = {
  'at once': read,
  'after a part of it came': (request, ...more) => request.once('readable', () => read(request, ...more)),
  'after all of it came': async (request, ...more) => {
    while (!request.complete) await new Promise(setImmediate)
    read(request, ...more)
  },
}
const server = createServer((request, response) => {
  moments[decodeURIComponent(request.url?.slice(1) ?? '')]?.(request, response, (body) => response.end(body))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let connections = 0
server.on('connection', () => connections++)

afterAll(async () => {
  agent.destroy()
  server.close()
  await once(server, 'close')
})

const cases = ['private', 'public'].flatMap((members) =>
  Object.keys(moments).map((moment) => [moment, members] as const),
)

it.each(cases)(
  'reads bodies %s, one after another on one connection, by the %s members of Node',
  async (moment, members) => {
    expect(await checkPrivateMembers({ mayUse: members === 'private' })).toBe(members === 'private')
    const { port } = server.address() as AddressInfo
    const send = async (...parts: string[]) => {
      const sent = request({ port, path: `/${encodeURIComponent(moment)}`, method: 'POST', agent })
      const answer = once(sent, 'response')
      for (const part of parts) await new Promise((resolve) => sent.write(part, resolve))
      sent.end()
      const [response] = await answer
      return text(response)
    }
    expect(await send('all of it')).toBe('all of it')
    expect(await send('in ', 'three ', 'parts')).toBe('in three parts')
    expect(await send('x'.repeat(1000))).toBe('x'.repeat(1000))
    expect(await send('x'.repeat(600), 'y'.repeat(600))).toBe('too-large')
    expect(await send('')).toBe('')
    expect(connections).toBe(1)
  },
)

it('gives nothing where the client goes away, which breaks nothing', async () => {
  const { port } = server.address() as AddressInfo
  let given = 0
  const arrived = once(server, 'request')
  server.once('request', (request: IncomingMessage, response: ServerResponse) => read(request, response, () => given++))
  const sent = request({ port, path: '/nowhere', method: 'POST', headers: { 'content-length': 10 }, agent: false })
  sent.on('error', () => {})
  sent.write('half')
  const [received]: [IncomingMessage] = (await arrived) as never
  // Not by `once`, which hears of errors.
  const closed = new Promise((resolve) => received.on('close', resolve))
  sent.destroy()
  await closed
  expect(given).toBe(0)
})

it('gives back the room of a body that was answered, refused or left', async () => {
  const { port } = server.address() as AddressInfo
  const body = 'x'.repeat(8000)
  const read = (request: IncomingMessage, response: ServerResponse) =>
    readBody(request, response, { maxBytes: 10_000, budget }, (body) => {
      expect(budget.bytes).toBe(8000)
      response.end(body)
    })
  server.once('request', read)
  const [answered] = await once(request({ port, path: '/nowhere', method: 'POST', agent }).end(body), 'response')
  expect(await text(answered)).toBe(body)
  expect(budget.bytes).toBe(0)
  server.once('request', read)
  const left = request({ port, path: '/nowhere', method: 'POST', headers: { 'content-length': 9000 }, agent: false })
  left.on('error', () => {})
  const [received]: [IncomingMessage] = await Promise.all([once(server, 'request'), left.write(body)]).then(
    ([event]) => event as never,
  )
  while (budget.bytes === 0) await new Promise(setImmediate)
  const closed = new Promise((resolve) => received.socket.on('close', resolve))
  left.destroy()
  await closed
  expect(budget.bytes).toBe(0)
})
