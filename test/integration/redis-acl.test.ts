import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { addContent, ids } from '../api/add-content.ts'
import { RunningStet, runStet } from '../api/run-stet.ts'
import { GraphQLClient, startRedis, TEST_JWT_SECRET, testToken } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'

/** Everything that Stet asks of Redis, as the user that `docker-compose.yml` gives it. */
const server = use(await startRedis(), (it) => it.stop())
const admin = use(new Redis(server.url), (it) => it.disconnect())
const database = await useDatabase()

const line = readFileSync('deploy/secrets/redis_users.acl', 'utf8').match(/^user stet (.*)$/m)?.[1] ?? ''
const rules = line.split(' ').filter((rule) => !rule.startsWith('#'))
await admin.acl('SETUSER', 'stet', 'reset', '>secret', ...rules)

const url = new URL(server.url)
url.username = 'stet'
url.password = 'secret'
const environment = {
  PORT: '0',
  AUTH_JWT_SECRET: TEST_JWT_SECRET,
  DATABASE_URL: database.url,
  // A database of its own, so that SELECT is sent.
  REDIS_URL: `${url.href.replace(/\/$/, '')}/1`,
  LOG_LEVEL: 'warn',
  METRICS_TOKEN: 'for Prometheus',
  QUEUE_FLUSH_MS: '100',
}

it('is never refused, whatever a node, a worker or a command does', async () => {
  await run('migrate')
  await addContent(database.url)
  const nodes = [start('serve'), start('serve')]
  const worker = start('worker')
  const urls = await Promise.all(nodes.map(async (node) => (await node.serving()).url))
  const [one = '', two = ''] = urls
  const author = new GraphQLClient(one, await testToken('author', 1))
  const read = `{ articles { totalCount nodes { title bodyHtml viewCount author { username } tags { name articleCount } } } }`
  for (let round = 0; round < 3; round++) {
    for (const each of urls) await Promise.all([1, 2, 3, 4].map(() => new GraphQLClient(each).get(read)))
    await author.get(
      `mutation { updateArticle(input: { id: "${ids.published}", title: "Round ${round}" }) { article { id } } }`,
    )
  }
  for (const each of [one, two])
    await new GraphQLClient(each).get(`mutation { recordView(articleId: "${ids.published}") }`)
  await new GraphQLClient(one).send('{ viewer { id } }', {}, { authorization: 'Bearer none' })
  await worker.serving()
  for (const each of urls)
    expect((await fetch(`${each}/metrics`, { headers: { authorization: 'Bearer for Prometheus' } })).status).toBe(200)
  await run('cache', 'stats')
  await run('cache', 'get', 'article', '1')
  await run('cache', 'explain', 'article', '1')
  await run('cache', 'verify')
  await run('cache', 'warm')
  await run('cache', 'invalidate', 'articles:1')
  await buryJob()
  await run('worker', 'dead', 'list')
  const [dead] = JSON.parse((await run('worker', 'dead', 'list', '--json')).stdout) as { id: string }[]
  await run('worker', 'dead', 'replay', String(dead?.id))
  await buryJob()
  await run('worker', 'dead', 'drop', '--all')
  await run('cache', 'purge', '--all')
  for (const running of [...nodes, worker]) {
    expect(await running.end('SIGTERM')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('NOPERM') })
  }
  expect(await admin.acl('LOG')).toEqual([])
})

it('may do nothing that it does not do', async () => {
  const used = [...(await admin.info('commandstats')).matchAll(/^cmdstat_([\w|-]+):/gm)].map(([, command]) => command)
  const allowed = rules.flatMap((rule) => (rule.startsWith('+') ? [rule.slice(1)] : []))
  expect(allowed.filter((command) => ![...used, ...NOW_AND_THEN].includes(command))).toEqual([])
})

it.each([
  ['KEYS', '*'],
  ['FLUSHALL'],
  ['CONFIG', 'GET', '*'],
  ['ACL', 'LIST'],
  ['SET', 'other:key', '1'],
  ['GET', 'other:key'],
  ['PUBLISH', 'other', '1'],
  ['SUBSCRIBE', 'other'],
  ['SCRIPT', 'FLUSH'],
  ['MONITOR'],
  ['REPLICAOF', 'NO', 'ONE'],
])('is refused %s %s', async (command, ...args) => {
  const client = new Redis(url.href, { enableReadyCheck: false, maxRetriesPerRequest: 0 })
  try {
    await expect(client.call(command, args)).rejects.toThrow(/NOPERM/)
  } finally {
    client.disconnect()
  }
})

/** Sent by who waits for another node's lease, and by a worker that finds that Redis came back without what was queued. */
const NOW_AND_THEN = ['setrange', 'xsetid', 'xinfo|stream']

/** Leaves a job that can't be applied among the dead letters. */
async function buryJob(): Promise<void> {
  await admin.select(1)
  await admin.xadd('stet:queue:{views}:dead', '*', 'job', '1', 'error', 'why', 'attempts', '1')
}

async function run(...args: string[]) {
  const ran = await runStet(args, environment)
  expect(ran.stderr).not.toContain('NOPERM')
  return ran
}

/** Ended after the last test, also if one fails. */
function start(command: string): RunningStet {
  return use(new RunningStet([command, '--json'], environment), (it) => it.end('SIGKILL'))
}
