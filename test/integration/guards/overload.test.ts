import { expect, it } from '@jest/globals'
import pg from 'pg'
import { addContent } from '../../api/add-content.ts'
import { eventually, queryOnce, readMetrics } from '../../harness/index.ts'
import { useDatabase, useNode } from '../../harness/use.ts'

const database = await useDatabase()
const node = await useNode({
  database,
  environment: {
    DATABASE_POOL_MAX: '4',
    DATABASE_LOADS_MAX: '2',
    DATABASE_LOADS_QUEUE: '2',
    DATABASE_LOADS_WAIT_MS: '1500',
    DATABASE_WRITES_MAX: '2',
    DATABASE_WRITES_QUEUE: '2',
    DATABASE_WRITES_WAIT_MS: '1500',
  },
})
await addContent(database.url)

it('asks the database for so much at once and no more, refuses the rest, and goes on answering what it holds', async () => {
  // What is read while the content's positions are pending isn't kept.
  for (const _ of [1, 2]) await node.visitor.get('{ tags(first: 5) { totalCount } }')
  const unlock = await lockArticles()

  const first = read('a')
  await until('running', 1)
  const second = read('b')
  await until('running', 2)
  const third = read('c')
  await until('waiting', 1)
  const fourth = read('d')
  await until('waiting', 2)
  const fifth = await read('e')
  expect(fifth).toMatchObject({ status: 503, errors: [{ extensions: { code: 'OVERLOADED' } }] })
  expect(fifth.headers.get('retry-after')).toBe('1')
  await eventually(async () => expect(await blockedStatements()).toBe(2))

  const hit = await node.visitor.send('{ tags(first: 5) { totalCount } }')
  expect([hit.status, hit.headers.get('x-cache')]).toEqual([200, 'HIT'])

  // They have waited long enough.
  for (const answer of await Promise.all([third, fourth])) {
    expect(answer.errors).toMatchObject([{ extensions: { code: 'OVERLOADED' } }])
  }
  await until('waiting', 0)
  await unlock()
  for (const answer of await Promise.all([first, second])) expect(answer).toMatchObject({ status: 200, errors: [] })
  await until('running', 0)
  expect(await read('f')).toMatchObject({ status: 200, errors: [] })
})

it('writes so much at once and no more, refuses the rest, and goes on reading', async () => {
  const unlock = await lock('users')
  const first = write('a')
  await until('running', 1, 'writes')
  const second = write('b')
  await until('running', 2, 'writes')
  const third = write('c')
  await until('waiting', 1, 'writes')
  const fourth = write('d')
  await until('waiting', 2, 'writes')
  const fifth = await write('e')
  expect(fifth).toMatchObject({ status: 503, errors: [{ extensions: { code: 'OVERLOADED' } }] })
  expect(fifth.headers.get('retry-after')).toBe('1')
  await eventually(async () => expect(await blockedStatements()).toBe(2))
  expect(await read('of-these')).toMatchObject({ status: 200, errors: [] })

  for (const answer of await Promise.all([third, fourth])) {
    expect(answer.errors).toMatchObject([{ extensions: { code: 'OVERLOADED' } }])
  }
  await until('waiting', 0, 'writes')
  await unlock()
  for (const answer of await Promise.all([first, second])) expect(answer).toMatchObject({ status: 200, errors: [] })
  // Whoever was refused has written nothing.
  const written = await queryOnce(database.url, `select username from users where username like 'burst-%' order by id`)
  expect(written.map(({ username }) => username).sort()).toEqual(['burst-a', 'burst-b'])
})

it('follows the log while loads and writes have taken every connection they may', async () => {
  const [unlockArticles, unlockUsers] = [await lockArticles(), await lock('users')]
  // One after the other: those that begin in the same moment are loaded together.
  const reads = [read('k')]
  await until('running', 1)
  reads.push(read('l'))
  await until('running', 2)
  const writes = ['k', 'l'].map(write)
  await until('running', 2, 'writes')
  // All four of its pool. What somebody else commits is applied all the same.
  await eventually(async () => expect(await blockedStatements()).toBe(4))
  await queryOnce(database.url, `insert into tags (name, slug) values ('Meanwhile', 'meanwhile')`)
  const [row] = await queryOnce(database.url, 'select tip from stet.sequence()')
  await eventually(() => node.ledger.seen >= Number(row?.tip))
  const ready = await fetch(`${node.url}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining('postgresql: ok')])
  await unlockArticles()
  await unlockUsers()
  for (const answer of await Promise.all([...reads, ...writes])) expect(answer).toMatchObject({ errors: [] })
})

it('keeps connections free for writes, and for what follows the log', async () => {
  const unlock = await lockArticles()
  const reads = ['g', 'h', 'i', 'j'].map(read)
  // They take one place if they are loaded together, else two.
  await eventually(async () => expect(await blockedStatements()).toBeGreaterThan(0))
  const { errors } = await node.admin.send('mutation { createTag(input: { name: "Free" }) { tag { slug } } }')
  expect(errors).toEqual([])
  await unlock()
  await Promise.all(reads)
})

it('leaves places for what is cheap, in the database and in the queue, however many search', async () => {
  const unlock = await lockArticles()
  const first = search('a')
  await until('running', 1)
  const second = search('b')
  await until('waiting', 1)
  expect(await search('c')).toMatchObject({ status: 503, errors: [{ extensions: { code: 'OVERLOADED' } }] })
  await until('running', 1)
  expect(await node.visitor.send('{ users(first: 7) { nodes { username } } }')).toMatchObject({
    status: 200,
    errors: [],
  })
  await unlock()
  expect(await first).toMatchObject({ status: 200, errors: [] })
  // It may have waited for too long by now.
  await second
})

/** The page alone: a count would be a load of its own. */
const search = (word: string) => node.visitor.send(`{ articles(filter: { search: "${word}" }) { nodes { title } } }`)

const read = (slug: string) => node.visitor.send(`{ article(slug: "${slug}") { title } }`)

const blockedStatements = async () => {
  const [row] = await queryOnce(
    database.url,
    `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return Number(row?.count)
}

async function until(state: 'running' | 'waiting', count: number, what: 'loads' | 'writes' = 'loads'): Promise<void> {
  await eventually(async () => {
    const metrics = await readMetrics(node.url)
    return metrics.includes(`\nstet_database_${what}_${state} ${count}\n`)
  })
}

const write = (name: string) =>
  node.admin.send(
    `mutation { createUser(input: { username: "burst-${name}", displayName: "Burst", email: "${name}@burst.example" }) { user { username } } }`,
  )

const lockArticles = () => lock('articles')

/** Until it is told to unlock, whoever reads or writes the table waits. */
async function lock(table: 'articles' | 'users'): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return () => client.end()
}
