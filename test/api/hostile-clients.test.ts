import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import {
  eventually,
  exchange,
  queryOnce,
  readMetric,
  startTestNode,
  type TestNode,
  testToken,
} from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'

/** What clients can take of a node by how they send and read, without anything that GraphQL sees. */
const MiB = 1024 * 1024
const database = await useDatabase()
const environment = {
  REQUEST_MAX_BYTES: String(MiB),
  REQUEST_MAX_BYTES_OF_VISITORS: String(MiB),
  REQUEST_MAX_MB_IN_FLIGHT: '8',
  REQUEST_MAX_MB_PER_ADDRESS: '4',
  REQUEST_HEAD_TIMEOUT_MS: '400',
  REQUEST_TIMEOUT_MS: '2000',
}
const node = await useNode({ database, environment })
/** Clients come by a proxy, which says who they are. */
const behindProxy = await useNode({
  database,
  environment: { ...environment, TRUST_PROXY: 'loopback', CONNECTIONS_MAX: '60', CONNECTIONS_MAX_PER_ADDRESS: '5' },
})
/** It takes little, and waits for long. */
const small = await useNode({
  database,
  environment: { CONNECTIONS_MAX_PER_ADDRESS: '20', ANSWER_MAX_MB_UNREAD_PER_ADDRESS: '2' },
})
await addContent(database.url)
await queryOnce(database.url, `update articles set body = repeat('A fox, ', 50000) where id = 1`)
await node.catchUp()

async function open(to: TestNode = node): Promise<Socket> {
  const { hostname, port } = new URL(to.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {}) // the server may close it under us
  await once(socket, 'connect')
  return socket
}

/** The status of the first answer, and whatever else comes until the server closes the connection. */
async function outcome(socket: Socket): Promise<string> {
  const told = await text(socket).catch(() => '')
  return told.slice(0, told.indexOf('\r\n')) || 'closed'
}

const firstLine = async (socket: Socket): Promise<string> => {
  const [chunk] = await Promise.race([once(socket, 'data'), closed(socket).then(() => ['closed'])])
  return String(chunk).split('\r\n', 1)[0] ?? ''
}

/** Not by `once`, which hears of errors. */
const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))

const post = (...lines: string[]) =>
  `${['POST /graphql HTTP/1.1', 'Host: test', 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n`

const QUERY = '{ articles { totalCount } }'
/** A body of that length that is answered. */
const bodyOf = (length: number) => {
  const empty = JSON.stringify({ query: QUERY, extra: '' })
  return JSON.stringify({ query: QUERY, extra: 'x'.repeat(length - empty.length) })
}
const upload = (body: string, ...lines: string[]) => post(`Content-Length: ${body.length}`, ...lines) + body
const OK = 'HTTP/1.1 200 OK'

it('answers others between what one client sends at once', async () => {
  const url = '/graphql?query={tags{nodes{name}}}'
  const request = `GET ${url} HTTP/1.1\r\nHost: test\r\n\r\n`
  for (let time = 0; time < 3; time++) await (await fetch(node.url + url)).text()
  const [greedy, other] = [await open(), await open()]
  let answered = 0
  greedy.setEncoding('latin1').on('data', (chunk: string) => {
    answered += chunk.split('HTTP/1.1 200').length - 1
  })
  greedy.write(request.repeat(90))
  other.write('GET /graphql?query={__typename} HTTP/1.1\r\nHost: test\r\n\r\n')
  expect(await firstLine(other)).toBe('HTTP/1.1 200 OK')
  expect(answered).toBeLessThan(45)
  await eventually(() => answered === 90)
  for (const socket of [greedy, other]) socket.destroy()
})

it('holds no more of bodies that are withheld than it may, and for no longer', async () => {
  const withheld = upload(bodyOf(MiB)).slice(0, -1)
  const sockets = await Promise.all(Array.from({ length: 40 }, () => open()))
  const outcomes = sockets.map(outcome)
  for (const socket of sockets) socket.write(withheld)
  const all = await Promise.all(outcomes)
  expect([...new Set(all)].sort()).toEqual(['HTTP/1.1 408 Request Timeout', 'HTTP/1.1 503 Service Unavailable'])
  // What it accepted: those that it waited for in vain.
  expect(all.filter((line) => line.includes('408')).length).toBeLessThanOrEqual(4)
  const [reply] = await exchange(node.url, [{ bytes: upload(bodyOf(MiB)) }])
  expect(reply?.start).toBe(OK)
})

it('takes bodies of others while one address holds all that it may', async () => {
  const withheld = (address: string) => upload(bodyOf(MiB), `X-Forwarded-For: ${address}`).slice(0, -1)
  const greedy = await Promise.all(Array.from({ length: 8 }, () => open(behindProxy)))
  const refused = greedy.map(firstLine)
  for (const socket of greedy) socket.write(withheld('192.0.2.1'))
  await Promise.any(refused)
  const other = { bytes: upload(bodyOf(MiB), 'X-Forwarded-For: 192.0.2.2') }
  const [reply] = await exchange(behindProxy.url, [other])
  expect(reply?.start).toBe(OK)
  // One that the proxy says nothing of is the proxy's own: its address is not bounded.
  const [own] = await exchange(behindProxy.url, [{ bytes: upload(bodyOf(MiB)) }])
  expect(own?.start).toBe(OK)
  for (const socket of greedy) socket.destroy()
})

it('frees what aborted uploads held', async () => {
  for (let round = 0; round < 3; round++) {
    const sockets = await Promise.all(Array.from({ length: 4 }, () => open()))
    const halves = sockets.map((socket) => new Promise((sent) => socket.write(upload(bodyOf(MiB)).slice(0, -9), sent)))
    await Promise.all(halves)
    for (const socket of sockets) socket.destroy()
  }
  await eventually(async () => {
    const [reply] = await exchange(node.url, [{ bytes: upload(bodyOf(MiB)) }])
    return reply?.start === OK
  })
})

it.each([
  ['a body that is too long', () => upload(bodyOf(MiB + 1))],
  ['a length that is too long, before any of the body', () => post('Content-Length: 99999999999')],
  ['a chunked body that is too long', () => post('Transfer-Encoding: chunked') + chunks(17, 64 * 1024)],
  ['200,000 chunks of one byte', () => post('Transfer-Encoding: chunked') + chunks(200_000, 1)],
])('refuses %s', async (_what, bytes) => {
  const socket = await open()
  const line = firstLine(socket)
  socket.write(bytes())
  expect(await line).toBe('HTTP/1.1 413 Payload Too Large')
  socket.destroy()
})

it('reads a long body only from those who have a token, and then at once', async () => {
  const strict = await startTestNode({
    databaseUrl: database.url,
    environment: { REQUEST_MAX_BYTES: String(MiB), REQUEST_MAX_BYTES_OF_VISITORS: '2048' },
  })
  const statusOf = async (bytes: string) => {
    const { hostname, port } = new URL(strict.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const line = firstLine(socket)
    socket.write(bytes)
    const status = (await line).slice(9, 12)
    socket.destroy()
    return status
  }
  const long = bodyOf(100_000)
  const head = (authorization: string | undefined) => [
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    `Content-Length: ${long.length}`,
  ]
  const token = `Bearer ${await testToken('author', ANN)}`
  try {
    // Before any of the body, and of the chunked one before its end.
    expect(await statusOf(post(...head(undefined)))).toBe('413')
    expect(await statusOf(post('Transfer-Encoding: chunked') + chunks(3, 1000))).toBe('413')
    expect(await statusOf(post(...head('Bearer nonsense')))).toBe('401')
    expect(await statusOf(post('Authorization: Basic nonsense', 'Transfer-Encoding: chunked') + chunks(1, 1000))).toBe(
      '401',
    )
    expect(await statusOf(post(...head(token)) + long)).toBe('200')
    expect(
      await statusOf(
        post(`Authorization: ${token}`, 'Transfer-Encoding: chunked') + chunks(16, 64 * 1024) + chunks(1, 1),
      ),
    ).toBe('413')
    expect(await statusOf(post(`Content-Length: ${bodyOf(2048).length}`) + bodyOf(2048))).toBe('200')
  } finally {
    await strict.close()
  }
})

it('says with a code that a body is too large, and answers the next request', async () => {
  const next = { bytes: `GET /graphql?query=${encodeURIComponent(QUERY)} HTTP/1.1\r\nHost: test\r\n\r\n` }
  const replies = await exchange(node.url, [{ bytes: upload(bodyOf(MiB + 1)) }, next])
  expect(replies.map(({ start }) => start.slice(9, 12))).toEqual(['413', '200'])
  expect(JSON.parse(replies[0]?.body ?? '')).toMatchObject({ errors: [{ extensions: { code: 'REQUEST_TOO_LARGE' } }] })
})

it('hears a client no more that sends on and on', async () => {
  const socket = await open()
  let sent = 0
  const ended = closed(socket)
  socket.on('data', () => {})
  socket.write(post('Transfer-Encoding: chunked'))
  const chunk = chunks(1, 64 * 1024)
  const send = () => {
    while (!socket.destroyed && socket.write(chunk)) sent += chunk.length
    socket.once('drain', send)
  }
  send()
  await ended
  // Beside what the kernel holds.
  expect(sent).toBeLessThan(40 * MiB)
})

it.each([
  ['nothing', ''],
  ['a part of a head', 'POST /graphql HTTP/1.1\r\nHost: te'],
  ['a head without its end', `GET /graphql HTTP/1.1\r\nHost: test\r\n`],
])('waits no longer than it may for a client that sends %s', async (_what, bytes) => {
  const socket = await open()
  const line = outcome(socket)
  socket.write(bytes)
  expect(await line).toBe('HTTP/1.1 408 Request Timeout')
})

it.each([
  ['head', 'GET /graphql?query={__typename} HTTP/1.1\r\nHost: test\r\nX-Long: '],
  ['body', post('Content-Length: 100000')],
])('waits no longer for a %s that comes byte by byte', async (_what, begin) => {
  const socket = await open()
  const line = outcome(socket)
  socket.write(begin)
  const timer = setInterval(() => socket.write('x'), 20)
  expect(await line).toBe('HTTP/1.1 408 Request Timeout')
  clearInterval(timer)
})

it.each([
  ['100,000 headers', `GET /graphql HTTP/1.1\r\nHost: test\r\n${'a: b\r\n'.repeat(100_000)}\r\n`],
  ['a header of a megabyte', `GET /graphql HTTP/1.1\r\nHost: test\r\nX-Long: ${'x'.repeat(MiB)}\r\n\r\n`],
  ['a URL of a megabyte', `GET /graphql?query=${'x'.repeat(MiB)} HTTP/1.1\r\nHost: test\r\n\r\n`],
])('refuses %s', async (_what, bytes) => {
  const socket = await open()
  const line = firstLine(socket)
  socket.write(bytes)
  expect(await line).toMatch(/^HTTP\/1.1 431 |^closed$/)
})

it('lets a client that asks first send its body, unless that is too long', async () => {
  const body = bodyOf(100)
  const asking = await open()
  const line = firstLine(asking)
  asking.write(post(`Content-Length: ${body.length}`, 'Expect: 100-continue'))
  expect(await line).toBe('HTTP/1.1 100 Continue')
  const answer = firstLine(asking)
  asking.write(body)
  expect(await answer).toBe(OK)
  asking.destroy()
  const long = await open()
  const refusal = firstLine(long)
  long.write(post('Content-Length: 99999999', 'Expect: 100-continue'))
  expect(await refusal).toBe('HTTP/1.1 413 Payload Too Large')
  long.destroy()
})

it('takes what follows a body that is longer than it says for another request', async () => {
  const socket = await open()
  const told = text(socket)
  socket.write(`${upload(bodyOf(100))}and more\r\n\r\n`)
  expect((await told).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
})

const ARTICLE = `GET /graphql?query=${encodeURIComponent('{article(slug:"published"){body}}')} HTTP/1.1\r\nHost: test\r\n\r\n`

it('makes no answers for a client that does not read those before', async () => {
  await exchange(node.url, Array(3).fill({ bytes: ARTICLE }))
  const made = () => readMetric(node.url, 'stet_graphql_request_seconds_count')
  const before = await made()
  const socket = await open()
  socket.pause()
  await new Promise((sent) => socket.write(ARTICLE.repeat(90), sent))
  // All of it arrives at once. Beside what the kernel takes, one answer is made.
  await eventually(async () => (await made()) > before)
  expect(((await made()) - before) * 350_000).toBeLessThan(16 * MiB)
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (part) => {
    received += part
  })
  socket.resume()
  await eventually(() => received.split('"A fox, A fox').length === 91)
  expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(Array(90).fill('HTTP/1.1 200'))
  socket.destroy()
})

it('ends a connection that more requests wait on than may', async () => {
  const socket = await open()
  const ended = closed(socket)
  socket.write(ARTICLE.repeat(500))
  socket.on('data', () => {})
  await ended
  expect(await readMetric(node.url, 'stet_http_refused_total', { why: 'pipelined' })).toBeGreaterThan(0)
})

it('waits no longer than it may for a client that reads nothing', async () => {
  const socket = await open()
  socket.pause()
  socket.write(ARTICLE.repeat(90))
  await eventually(async () => (await readMetric(node.url, 'stet_http_refused_total', { why: 'unread' })) > 0)
  let received = 0
  socket.on('data', ({ length }) => {
    received += length
  })
  const ended = closed(socket)
  socket.resume()
  await ended
  expect(received).toBeLessThan(90 * 350_000)
})

it('holds no more of what clients do not read than it may', async () => {
  await exchange(small.url, Array(3).fill({ bytes: ARTICLE }))
  const sockets = await Promise.all(Array.from({ length: 12 }, () => open(small)))
  for (const socket of sockets) {
    socket.pause()
    socket.write(ARTICLE.repeat(90))
  }
  // Each holds one answer of 350 KB, beside what the kernel has taken.
  const refused = () => readMetric(small.url, 'stet_http_refused_total', { why: 'unread-bytes' })
  await eventually(async () => (await refused()) >= 12 - Math.floor((2 * MiB) / 350_000))
  await Promise.all(
    sockets.map((socket) => {
      const end = closed(socket)
      socket.destroy()
      return end
    }),
  )
})

it('bounds the connections of one address, and goes on to answer on those that it has', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(small)))
  const beyond = await open(small)
  expect(await outcome(beyond)).toBe('closed')
  const [held] = sockets
  if (!held) throw new Error('There are none.')
  const line = firstLine(held)
  held.write(`GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n`)
  expect(await line).toBe(OK)
  for (const socket of sockets) socket.destroy()
  await eventually(async () => (await fetch(`${small.url}/healthz`)).ok)
})

it('closes idle connections when it can take no more, and never those of a proxy for being many', async () => {
  const get = 'GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n'
  const idle = await Promise.all(
    Array.from({ length: 59 }, async () => {
      const socket = await open(behindProxy)
      const line = firstLine(socket)
      socket.write(get)
      expect(await line).toBe(OK)
      return socket
    }),
  )
  const ends = idle.map(closed)
  const pushing = await Promise.all(Array.from({ length: 5 }, () => open(behindProxy)))
  await Promise.any(ends)
  const [reply] = await exchange(behindProxy.url, [{ bytes: get }])
  expect(reply?.start).toBe(OK)
  for (const socket of [...idle, ...pushing]) socket.destroy()
})

function chunks(count: number, bytes: number): string {
  return `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`.repeat(count)
}
