import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import pg from 'pg'
import { eventually, queryOnce, readMetric, reservePort, testToken } from '../harness/index.ts'
import { getTestRun } from '../harness/test-run.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** What Node's parser refuses is answered once at most, and never in the place of another request's answer. */
const database = await useDatabase()
const metricsPort = await reservePort(getTestRun().directory)
const environment = { REQUEST_TIMEOUT_MS: '400', REQUEST_HEAD_TIMEOUT_MS: '400', METRICS_PORT: String(metricsPort) }
const node = await useNode({ database, environment })
await addContent(database.url)
await node.catchUp()
// Its answer is kept: a hit is sent before the parser has read on.
for (let time = 0; time < 2; time++) await fetch(`${node.url}/graphql?query={__typename}`)

const GET = 'GET /graphql?query={__typename} HTTP/1.1\r\nHost: test\r\n'
const POST = 'POST /graphql HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n'
const NO_HTTP = 'no HTTP\r\n\r\n'

it.each([
  ['a body in an encoding that nobody knows, though it is not needed', `${GET}Transfer-Encoding: x\r\n\r\n`, [400]],
  ['a body that is chunked, and more than that', `${GET}Transfer-Encoding: chunked, x\r\n\r\n`, [400]],
  ['the same of HEAD, elsewhere', 'HEAD /nowhere HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: x\r\n\r\n', [400]],
  [
    'a body that is more than chunked',
    `${GET}Transfer-Encoding: x, Chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    [200],
  ],
  ['a chunk without a length, behind an answer', `${GET}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, [200]],
  ['a body that does not come, behind an answer', `${GET}Content-Length: 5\r\n\r\n`, [200]],
  ['a body that was too long and does not come', `${POST}Content-Length: 99999999\r\n\r\n{`, [413]],
  ['a body in an encoding that nobody knows', `${POST}Transfer-Encoding: x\r\n\r\n`, [400]],
  ['a chunk without a length', `${POST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, [400]],
  ['a body that does not come', `${POST}Content-Length: 5\r\n\r\n`, [408]],
  ['no HTTP', NO_HTTP, [400]],
  ['no HTTP behind an answer', `${GET}\r\n${NO_HTTP}`, [200, 400]],
  ['half a head', GET, [408]],
  ['half a head behind an answer', `${GET}\r\n${GET}`, [200, 408]],
  ['a long head behind an answer', `${GET}\r\n${GET}X: ${'x'.repeat(20_000)}\r\n\r\n`, [200, 431]],
])('answers %s once', async (_what, bytes, statuses) => {
  expect(statusesIn(await send(node.url, bytes))).toEqual(statuses)
})

it('answers once on the port of the metrics as well', async () => {
  const url = `http://127.0.0.1:${metricsPort}`
  const bytes = 'HEAD /nowhere HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: x\r\n\r\n'
  expect(statusesIn(await send(url, bytes))).toEqual([400])
})

it.each([
  ['no HTTP', NO_HTTP],
  ['a faulty body', `${POST}Transfer-Encoding: x\r\n\r\n`],
  ['no HTTP, time and again', NO_HTTP.repeat(20)],
  ['a chunk without a length', `${POST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
])('answers in the order of the requests, if %s follows one that takes its time', async (_what, faulty) => {
  const { client, held } = await lockArticles()
  const received = send(node.url, held + faulty)
  await eventually(waits)
  await client.query('rollback')
  expect(statusesIn(await received)).toEqual([200, 400])
})

it('answers each that is owed, and then the head that did not come in time, though it came later', async () => {
  const { client, held } = await lockArticles()
  const socket = open(node.url)
  socket.write(held)
  await eventually(waits)
  socket.write(GET)
  const timedOut = () => readMetric(`http://127.0.0.1:${metricsPort}`, 'stet_http_refused_total', { why: 'timeout' })
  const before = await timedOut()
  await eventually(async () => (await timedOut()) > before)
  socket.write('\r\n')
  await client.query('rollback')
  expect(statusesIn(await text(socket))).toEqual([200, 200, 408])
})

it('sends all of a long answer, and then what is wrong with the next', async () => {
  await queryOnce(database.url, `update articles set body = repeat('Long. ', 80000) where id = 1`)
  await node.catchUp()
  const query = `{${Array.from({ length: 6 }, (_, n) => `a${n}:article(id:"${ids.published}"){body}`).join()}}`
  const url = `${node.url}/graphql?query=${encodeURIComponent(query)}`
  let body = ''
  for (let time = 0; time < 3; time++) body = await (await fetch(url)).text()
  expect(body.length).toBeGreaterThan(2_500_000)
  const socket = open(node.url)
  socket.write(`GET /graphql?query=${encodeURIComponent(query)} HTTP/1.1\r\nHost: test\r\n\r\n`)
  // The rest of the answer waits until this client reads it.
  await once(socket, 'readable')
  socket.write(NO_HTTP)
  const received = await text(socket)
  expect(statusesIn(received)).toEqual([200, 400])
  expect(received).toContain(body)
})

/** A mutation that is held up until the client rolls back. */
async function lockArticles(): Promise<{ readonly client: pg.Client; readonly held: string }> {
  const client = use(new pg.Client({ connectionString: database.url }), (it) => it.end())
  await client.connect()
  await client.query('begin; lock table articles')
  const query = `mutation { updateArticle(input: { id: "${ids.annsDraft}", summary: "${randomUUID()}" }) { article { id } } }`
  const body = JSON.stringify({ query })
  const bearer = `Authorization: Bearer ${await testToken('author', ANN)}\r\n`
  return { client, held: `${POST}${bearer}Content-Length: ${body.length}\r\n\r\n${body}` }
}

async function waits(): Promise<boolean> {
  const [row] = await queryOnce(
    database.url,
    `select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())`,
  )
  return Number(row?.count) > 0
}

/** All that the server writes until it ends the connection. */
async function send(url: string, bytes: string): Promise<string> {
  const socket = open(url)
  socket.write(bytes)
  return text(socket).catch(() => '')
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url)
  // The server closes it while it is written to.
  return connect(Number(port), hostname).on('error', () => {})
}

const statusesIn = (received: string): readonly number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
