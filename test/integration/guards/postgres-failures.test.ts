import { afterEach, beforeEach, expect, it } from '@jest/globals'
import pg from 'pg'
import { ANN, addContent, ids } from '../../api/add-content.ts'
import {
  createMigratedDatabase,
  eventually,
  type FaultProxy,
  queryOnce,
  readMetric,
  startFaultProxy,
  startTestNode,
  type TestDatabase,
  type TestNode,
} from '../../harness/index.ts'
import { ROW_READ } from '../races/article-world.ts'
import { startReplyGate } from '../races/reply-gate.ts'

let database: TestDatabase
let proxy: FaultProxy
const nodes: TestNode[] = []

beforeEach(async () => {
  database = await createMigratedDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
  await proxy.close()
  await database.drop()
})

it('says that the database is away, and goes on when it is back', async () => {
  const node = await start(proxy.through(database.url))
  await proxy.cut()
  const read = await node.visitor.send('{ article(slug: "published") { title } }')
  expect(read).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
  expect(read.headers.get('retry-after')).toBe('1')
  const write = await node.admin.send('mutation { createTag(input: { name: "Away" }) { tag { slug } } }')
  expect(write).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })

  await proxy.restore()
  await eventually(
    async () => (await node.visitor.send('{ article(slug: "published") { title } }')).errors.length === 0,
  )
  await node.admin.get('mutation { createTag(input: { name: "Away" }) { tag { slug } } }')
})

it('says so too of what it has answered before, once that has fallen', async () => {
  const node = await start(proxy.through(database.url))
  const count = '{ articles { totalCount } }'
  const kept = async () => (await node.visitor.send(count)).headers.get('x-cache') === 'HIT'
  await eventually(async () => (await kept()) && (await kept()))
  await node.admin.get(`mutation { deleteArticle(id: "${ids.published}") { deletedId } }`)
  await proxy.cut()
  const answered = () => readMetric(node.url, 'stet_graphql_request_seconds_count', { operation: 'query' })
  const before = await answered()
  const read = await node.visitor.send(count, {}, { 'x-request-id': 'mine' })
  expect(read).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
  expect([read.headers.get('retry-after'), read.headers.get('x-request-id')]).toEqual(['1', 'mine'])
  expect(await answered()).toBe(before + 1)
  await proxy.restore()
  await eventually(async () => (await node.visitor.send(count)).errors.length === 0)
})

it('says so too where what was read could not be given its position', async () => {
  const gate = await startReplyGate(database.url)
  // Nothing but the read looks at the log.
  const node = await startTestNode({ databaseUrl: gate.through(database.url), environment: { LOG_BEAT_MS: '60000' } })
  nodes.push(node)
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query(`select pg_advisory_lock(hashtext('stet.sequence'))`)
  await addContent(database.url)
  const rows = gate.hold(/from "articles"/)
  const read = node.visitor.send('{ article(slug: "published") { title } }')
  await rows.arrived
  rows.release()
  await eventually(async () => {
    const waiting = await queryOnce(
      database.url,
      `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
    )
    return waiting.length > 0
  })
  await gate.close()
  await other.end()
  expect(await read).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
})

it('leaves a connection on which nothing comes back, and says so', async () => {
  const node = await start(proxy.through(database.url), { DATABASE_STATEMENT_TIMEOUT_MS: '1000' })
  await node.visitor.get('{ article(slug: "published") { title } }')
  proxy.stall()
  expect(await node.visitor.send('{ tags { totalCount } }')).toMatchObject({
    errors: [{ extensions: { code: 'UNAVAILABLE' } }],
  })
  await proxy.restore()
  await eventually(async () => (await node.visitor.send('{ users { totalCount } }')).errors.length === 0)
})

it('does not claim to know whether a change is made, where the answer to its commit was lost', async () => {
  const gate = await startReplyGate(database.url)
  const node = await start(gate.through(database.url))
  await firstJobDone() // the next commit is the mutation's
  const commit = gate.hold(/insert into "tags"/)
  const write = node.admin.send('mutation { createTag(input: { name: "Perhaps" }) { tag { slug } } }')
  await commit.arrived
  await gate.close()
  expect(await write).toMatchObject({ errors: [{ extensions: { code: 'OUTCOME_UNKNOWN' } }] })
  expect(await queryOnce(database.url, `select name from tags where slug = 'perhaps'`)).toHaveLength(1)
})

it('does not call a change failed that is made, where it could not be read again', async () => {
  const gate = await startReplyGate(database.url)
  const node = await start(gate.through(database.url))
  const readAgain = gate.hold(ROW_READ)
  // Of several statements, it isn't kept at once.
  const input = `{ id: "${ids.published}", title: "Made", tags: [] }`
  const write = node.admin.send(`mutation { updateArticle(input: ${input}) { article { title } } }`)
  await readAgain.arrived
  gate.drop()
  expect(await write).toMatchObject({ errors: [{ extensions: { code: 'WRITE_UNCONFIRMED' } }] })
  expect(await queryOnce(database.url, `select title from articles where slug = 'published'`)).toEqual([
    { title: 'Made' },
  ])
  await node.close()
  nodes.pop()
  await gate.close()
})

it.each([
  ['UNAVAILABLE', `{ article(id: "${ids.published}") { title author { displayName } } }`],
  [
    'WRITE_UNCONFIRMED',
    `mutation { updateArticle(input: { id: "${ids.published}", title: "Once more", tags: [] }) { article { title author { displayName } } } }`,
  ],
])('answers %s where the database goes away while all of an answer is read in one transaction', async (code, text) => {
  const gate = await startReplyGate(database.url)
  const node = await start(gate.through(database.url))
  const row = gate.hold(ROW_READ)
  const transaction = gate.hold(/repeatable read/)
  const answer = node.admin.send(text, {}, { 'cache-control': 'no-cache' })
  await row.arrived
  // Between the two loads, so that they are no snapshot.
  await queryOnce(database.url, `update articles set title = 'New'; update users set display_name = 'New'`)
  await queryOnce(database.url, 'select stet.sequence()')
  row.release()
  await transaction.arrived
  gate.drop()
  const { errors } = await answer
  await node.close()
  nodes.pop()
  await gate.close()
  expect(errors).toMatchObject([{ extensions: { code } }])
})

it('tries again what was rolled back for the sake of another transaction', async () => {
  const node = await start(database.url)
  const author = await node.author(ANN)
  await node.admin.get('mutation { createTag(input: { name: "Knot" }) { tag { slug } } }')
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  // The other one gets its way: it is the mutation that finds out first that both wait for each other.
  await other.query(`begin; set local deadlock_timeout = '60s'; select from tags where slug = 'knot' for update`)
  const write = author.get(
    `mutation { setArticleTags(id: "${ids.published}", tags: ["knot"]) { article { version } } }`,
  )
  await eventually(async () => {
    const waiting = await queryOnce(
      database.url,
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return waiting.length === 1
  })
  await other.query(`update articles set summary = 'theirs' where slug = 'published'; commit`)
  await other.end()
  await write
  expect(
    await queryOnce(database.url, `select from article_tags join tags on id = tag_id where slug = 'knot'`),
  ).toHaveLength(1)
})

it('answers from what it holds while it hears nothing of the log, says so, and refuses when that has gone on for too long', async () => {
  const query = '{ article(slug: "published") { title } }'
  const node = await start(proxy.through(database.url), { LOG_SILENCE_MAX: '4' })
  await eventually(async () => (await node.visitor.send(query)).headers.get('x-cache') === 'HIT')
  await proxy.cut()
  await eventually(async () => (await node.visitor.send(query)).headers.get('x-cache') === 'STALE')
  await eventually(async () => (await node.visitor.send(query)).status === 503)
  expect(await node.visitor.send(query)).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
  await proxy.restore()
  await eventually(async () => (await node.visitor.send(query)).headers.get('x-cache') === 'HIT')
})

/** The worker's: after that it writes nothing of its own accord. */
const firstJobDone = () =>
  eventually(async () => {
    const [job] = await queryOnce(database.url, `select ran_at > 'epoch' as ran from stet.job`)
    return job?.ran === true
  })

async function start(databaseUrl: string, environment: Record<string, string> = {}): Promise<TestNode> {
  const node = await startTestNode({ databaseUrl, environment })
  nodes.push(node)
  await addContent(database.url)
  return node
}
