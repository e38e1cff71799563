import { hostname, userInfo } from 'node:os'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { createRedisPrefix, emptyContent, type GraphQLClient, queryOnce, sharedServers } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'
import { ADD_LONELY, CALLS, MUTATIONS, sendMutation } from './every-mutation.ts'
import { type Ran, runStet } from './run-stet.ts'

const database = await useDatabase()
const node = await useNode({ database })
const ann = await node.author(ANN)

beforeEach(async () => {
  await emptyContent(database.url)
  await addContent(database.url)
  await sql(ADD_LONELY)
  await node.catchUp()
  await sql(`set stet.prune_audit = on; delete from audit`)
})

describe('of every mutation that the schema has', () => {
  const recorded = MUTATIONS.filter((name) => CALLS[name]?.[1].length !== 0)

  it('knows how to send it', () => {
    expect(Object.keys(CALLS).sort()).toEqual([...MUTATIONS].sort())
  })

  it.each(recorded)('%s leaves one record: who, what, when, from where', async (name) => {
    const [rest, targets] = CALLS[name] ?? ['', []]
    const before = Date.now()
    await send(node.admin, `${name}${rest}`, { 'x-request-id': `request-${name}` })
    expect(await records()).toEqual([
      {
        actor: null,
        role: 'admin',
        action: name,
        targets,
        target_count: targets.length,
        address: '127.0.0.1',
        request_id: `request-${name}`,
        at: expect.anything(),
      },
    ])
    const [{ at } = { at: new Date(0) }] = (await records()) as { at: Date }[]
    expect(at.getTime()).toBeGreaterThan(before - 1000)
  })

  it.each(recorded)('%s leaves none if it is refused', async (name) => {
    const { errors } = await sendMutation(node.visitor, `${name}${CALLS[name]?.[0]}`)
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
    expect(await records()).toEqual([])
  })
})

it('names the user, and each field of a request with several', async () => {
  await send(
    ann,
    'a: publishArticle(id: $draft) { article { id } } b: updateUser(input: { id: $ann, bio: "B" }) { user { id } }',
  )
  const expected = { actor: 'users:1', role: 'author', target_count: 1 }
  expect(await records()).toMatchObject([
    { ...expected, action: 'publishArticle', targets: ['articles:2'] },
    { ...expected, action: 'updateUser', targets: ['users:1'] },
  ])
})

it('keeps no text, no e-mail address and no token', async () => {
  await send(ann, 'createArticle(input: { title: "My secret", body: "My secret" }) { article { id } }')
  await send(ann, 'updateUser(input: { id: $ann, email: "my-secret@example.com" }) { user { id } }')
  expect(JSON.stringify(await sql('select * from audit'))).not.toMatch(/secret|Bearer|eyJ/i)
})

it('leaves no record of what was rolled back, not done, or done already', async () => {
  await ann.send(`mutation { createArticle(input: { title: "T", body: "B", slug: "published" }) { article { id } } }`)
  await ann.send(`mutation { createArticle(input: { title: "T", body: "B", tags: ["none"] }) { article { id } } }`)
  await ann.send(`mutation { deleteArticle(id: "${ids.bobsDraft}") { deletedId } }`)
  await ann.send(
    `mutation { updateArticle(input: { id: "${ids.annsDraft}", title: "T", expectedVersion: 9 }) { article { id } } }`,
  )
  await send(ann, 'publishArticle(id: $published) { article { id } }')
  await send(node.admin, 'recordView(articleId: $published)')
  expect(await records()).toEqual([])
})

describe('stet audit', () => {
  it('prints what commands did as well, the newest last', async () => {
    const redisPrefix = createRedisPrefix()
    const withRedis = { REDIS_URL: sharedServers().redisUrl, REDIS_KEY_PREFIX: redisPrefix }
    await send(ann, 'publishArticle(id: $draft) { article { id } }')
    await run(['cache', 'invalidate', 'articles:7', '--soft'])
    await run(['cache', 'warm', '--limit', '5'], withRedis)
    await run(['cache', 'purge', '--all'], withRedis)
    await run(['import', 'content/sample/tags.jsonl'])
    await run(['seed', '--articles', '2', '--users', '1', '--tags', '1'])
    await run(['export', '/dev/null'])
    const lines = (await run(['audit', '--since', '1h', '--json'])).stdout.trim().split('\n')
    const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const byCommand = { actor: userInfo().username, role: 'operator', address: hostname(), requestId: null }
    expect(read).toMatchObject([
      { actor: 'users:1', role: 'author', action: 'publishArticle', targets: ['articles:2'], targetCount: 1 },
      { ...byCommand, action: 'cache invalidate', targets: ['~articles:7'], targetCount: 1 },
      ...(read.length > 6 ? [{ ...byCommand, action: 'cache purge' }] : []),
      { ...byCommand, action: 'import', targets: expect.arrayContaining(['tags:3']), targetCount: 25 },
      { ...byCommand, action: 'seed', targetCount: 2 },
      { ...byCommand, action: 'seed', targetCount: 2 },
      { ...byCommand, action: 'export', targetCount: 0 },
    ])
    const text = (await run(['audit', '--user', '1'])).stdout
    expect(text).toMatch(/^\d{4}-\S+Z {2}users:1 \(author\) +publishArticle +127\.0\.0\.1 +\S+ {2}articles:2\n$/)
    expect((await run(['audit', '--what', 'seed', '--since', '1h'])).stdout.trim().split('\n')).toHaveLength(2)
    expect((await run(['audit', '--since', new Date(Date.now() + 60_000).toISOString()])).stdout).toBe('')
  })

  it('streams pages of records, none twice and none left out, also of the same microsecond', async () => {
    await sql(`insert into audit (role, action, at) select 'admin', 'many', now() from generate_series(1, 2500)`)
    expect((await run(['audit', '--json'])).stdout.trim().split('\n')).toHaveLength(2500)
  })

  it('prunes, and says so', async () => {
    await sql(
      `insert into audit (role, action, at) values ('admin', 'old', now() - interval '2 days'), ('admin', 'new', now())`,
    )
    expect((await run(['audit', 'prune', '--before', '1d', '--json'])).stdout).toBe('{"deleted":1}\n')
    expect(await records()).toMatchObject([{ action: 'new' }, { action: 'audit prune', role: 'operator' }])
  })

  it.each([['--since', 'yesterday'], ['prune'], ['prune', '--before', '5 weeks']])('refuses %s %s', async (...args) => {
    const { code } = await runStet(['audit', ...args], { DATABASE_URL: database.url })
    expect(code).toBe(2)
  })
})

it('is never changed by a mere owner’s mistake, whatever the writer sets', async () => {
  await sql(`insert into audit (role, action) values ('admin', 'done')`)
  for (const statement of [
    `update audit set action = 'nothing'`,
    'delete from audit',
    'truncate audit',
    `set stet.prune_audit = on; update audit set action = 'nothing'`,
    `set stet.prune_audit = on; truncate audit`,
    `set session_replication_role = replica; delete from audit`,
  ]) {
    await expect(sql(statement)).rejects.toThrow('audit records are only ever appended')
  }
  expect(await records()).toHaveLength(1)
})

/** Sends a mutation that must succeed. */
async function send(client: GraphQLClient, fields: string, headers = {}): Promise<void> {
  expect(await sendMutation(client, fields, headers)).toMatchObject({ errors: [] })
}

const records = () =>
  sql('select at, actor, role, action, targets, target_count, address, request_id from audit order by at, id')

async function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const ran = await runStet(args, { DATABASE_URL: database.url, ...environment })
  expect(ran).toMatchObject({ code: 0 })
  return ran
}

const sql = (text: string) => queryOnce(database.url, text)
