import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import { checkPrivateMembers } from './check-private-members.ts'
import { SAFE_HEADERS } from './safe-headers.ts'
import { KEEP_ALIVE_MS, writeMessage } from './wire.ts'

const HEAD = 'content-type: text/plain\r\netag: "a: b"\r\nx-cache: HIT\r\n'
const members = ['private', 'public'] as const
const cases = members.flatMap((which) => ([200, 304, 503] as const).map((status) => [status, which] as const))

it.each(cases)(
  'sends a %s as Node would, whether the connection stays or ends, by its %s members',
  async (status, which) => {
    expect(await checkPrivateMembers({ mayUse: which === 'private' })).toBe(which === 'private')
    const body = status !== 304 ? 'It stands: dur\u00e9e.\r\n\r\nStill.' : undefined
    const lengthLine = body ? `content-length: ${body.length}\r\n` : ''
    const rest = `${lengthLine}\r\n${body ?? ''}`
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, ({ url }, response) => {
      if (url === '/sent') return writeMessage(response, { status, lines: HEAD, rest })
      if (url === '/sent-otherwise') {
        return writeMessage(response, { status, lines: HEAD + lengthLine, rest: `\r\n${body ?? ''}` })
      }
      const length = body ? { 'content-length': String(body.length) } : {}
      response
        .writeHead(status, {
          ...SAFE_HEADERS,
          'content-type': 'text/plain',
          etag: '"a: b"',
          'x-cache': 'HIT',
          ...length,
        })
        .end(body, 'latin1')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const keepAlive of [true, false]) {
      // With a bound on its sockets an agent keeps them, whatever it is told.
      const agent = new Agent(keepAlive ? { keepAlive, maxSockets: 1 } : { keepAlive })
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
      // Several: the next goes over the same connection, where that stays.
      for (const path of ['/sent', '/sent-otherwise', '/sent']) expect(await ask(path)).toEqual(await ask('/by-node'))
      agent.destroy()
    }
    server.close()
  },
)

it.each(members)(
  'sends each of many answers whole to a client that asks for all at once and reads later (%s)',
  async (which) => {
    await checkPrivateMembers({ mayUse: which === 'private' })
    const bodies = Array.from(
      { length: 100 },
      (_, number) => `${number} ${'It stands. '.repeat(number % 7 === 0 ? 20_000 : 500)}`,
    )
    let asked = 0
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (_request, response) => {
      const body = bodies[asked++] ?? ''
      writeMessage(response, { status: 200, lines: `content-length: ${body.length}\r\n`, rest: `\r\n${body}` })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n'.repeat(bodies.length))
      const expected = bodies.join('')
      const receivedAll = async () => {
        let received = ''
        for await (const chunk of socket) {
          received += chunk
          const answers = received.replaceAll(/HTTP\/1.1 200 OK\r\n[\s\S]*?\r\n\r\n/g, '')
          if (answers.length >= expected.length) return answers
        }
        return 'The connection ended.'
      }
      expect((await receivedAll()) === expected).toBe(true)
    } finally {
      socket.destroy()
      server.closeAllConnections()
      server.close()
    }
  },
)
