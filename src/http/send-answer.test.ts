import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import { KEEP_ALIVE_MS, sendAnswer } from './send-answer.ts'

const HEAD = 'content-type: text/plain\r\netag: "a: b"\r\nx-cache: HIT\r\n'

it.each([200, 304] as const)('sends a %s as Node would, whether the connection stays or ends', async (status) => {
  const body = status === 200 ? Buffer.from('It stands.') : undefined
  const head = body ? `${HEAD}content-length: ${body.length}\r\n` : HEAD
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, ({ url }, response) => {
    if (url === '/sent') return sendAnswer(response, { status, head, body })
    const length = body ? { 'content-length': String(body.length) } : {}
    response.writeHead(status, { 'content-type': 'text/plain', etag: '"a: b"', 'x-cache': 'HIT', ...length }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const keepAlive of [true, false]) {
    const agent = new Agent({ keepAlive, maxSockets: 1 })
    const ask = async (path: string) => {
      const [answer] = (await once(request({ port, path, agent }).end(), 'response')) as [IncomingMessage]
      const { date, ...headers } = answer.headers
      return {
        status: answer.statusCode,
        headers,
        body: await text(answer),
        isDate: !Number.isNaN(Date.parse(date ?? '')),
      }
    }
    // Twice: the second goes over the same connection, where that stays.
    for (let time = 0; time < 2; time++) expect(await ask('/sent')).toEqual(await ask('/by-node'))
    agent.destroy()
  }
  server.close()
})
