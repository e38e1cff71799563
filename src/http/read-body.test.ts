import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, expect, it } from '@jest/globals'
import { checkPrivateMembers } from './check-private-members.ts'
import { readBody } from './read-body.ts'

type Read = (request: IncomingMessage, answer: (body: string) => void) => unknown

const said = (body: Buffer | undefined) => body?.toString() ?? 'too much'

/** At which moment the body is read. */
const moments: Record<string, Read> = {
  'at once': (request, answer) => readBody(request, 1000, (body) => answer(said(body))),
  'after a part of it came': (request, answer) =>
    request.once('readable', () => readBody(request, 1000, (body) => answer(said(body)))),
  'after all of it came': async (request, answer) => {
    while (!request.complete) await new Promise(setImmediate)
    readBody(request, 1000, (body) => answer(said(body)))
  },
}
const server = createServer((request, response) => {
  const read = moments[decodeURIComponent(request.url?.slice(1) ?? '')]
  read?.(request, (body) => response.end(body))
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
    expect(await send('x'.repeat(600), 'y'.repeat(600))).toBe('too much')
    expect(await send('')).toBe('')
    expect(connections).toBe(1)
  },
)

it('gives nothing where the client goes away, which breaks nothing', async () => {
  const { port } = server.address() as AddressInfo
  let given = 0
  const arrived = once(server, 'request')
  server.once('request', (request: IncomingMessage) => readBody(request, 1000, () => given++))
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
