import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from '@jest/globals'
import { codeFingerprints } from '../../scripts/code-fingerprints.mjs'
import { addContent, ids } from '../api/add-content.ts'
import { currentToken, GraphQLClient, queryOnce, TEST_JWT_SECRET, type TestNode } from '../harness/index.ts'
import { use, useDatabase, useNode, useRedis, useRedisClient } from '../harness/use.ts'

/** The next version of this project: its renderer makes no links, and a helper of lists counts otherwise. No kind was touched. */
const next = use(await mkdtemp(join(tmpdir(), 'stet-next-')), (directory) => rm(directory, { recursive: true }))
for (const name of [
  'src',
  'schema',
  'migrations',
  'content',
  'sql',
  'scripts',
  'package.json',
  'package-lock.json',
  'rolldown.config.mjs',
]) {
  await cp(name, join(next, name), { recursive: true })
}
await symlink(resolve('node_modules'), join(next, 'node_modules'))
await change('src/domain/markdown.ts', 'linkify: true', 'linkify: false')
await change('src/database/keyset.ts', 'count(*) as count', '100 * count(*) as count')
execFileSync('node_modules/.bin/rolldown', ['-c'], { cwd: next, stdio: 'ignore' })

const database = await useDatabase()
const redis = useRedis()
const client = useRedisClient()
const environment = { CACHE_RESPONSES: 'off' }

const QUERY = `query ($id: ID!) { article(id: $id) { bodyHtml } users { totalCount } tag(slug: "cats") { name } }`

it('of the same build has one name, in the build as in the source', async () => {
  expect(JSON.parse(readFileSync('dist/code.json', 'utf8'))).toEqual(codeFingerprints())
})

it('is never read by nodes of the other version, side by side: neither HTML nor lists', async () => {
  const old = await useNode({ database, redis, built: true, environment })
  await addContent(database.url)
  await queryOnce(database.url, `update articles set body = 'See https://example.com' where id = 1`)
  const asked = { id: ids.published }
  const headers = { 'stet-as-of': await currentToken(database.url) }
  const ofOld = await old.visitor.get(QUERY, asked, headers)
  expect(JSON.stringify(ofOld)).toContain('<a href')
  await old.flush()
  const keysOfOld = await storedKeys()
  expect(keysOfOld).toEqual(expect.arrayContaining([expect.stringContaining('article-html.')]))

  const { url, flush } = await startNext()
  const ofNext = await new GraphQLClient(url).get(QUERY, asked, headers)
  expect(ofNext).toMatchObject({
    article: { bodyHtml: '<p>See https://example.com</p>\n' },
    users: { totalCount: 200 },
  })
  await flush()
  const keysOfBoth = await storedKeys()
  expect(keysOfBoth).toHaveLength(2 * keysOfOld.length)

  // What the next version stored is not read by the old one either.
  await client.unlink(...keysOfOld)
  old.cache.clearMemory()
  expect(await old.visitor.get(QUERY, asked, headers)).toEqual(ofOld)
})

async function startNext(): Promise<Pick<TestNode, 'url' | 'flush'>> {
  const { readConfig, startNode, createLogger } = {
    ...(await import(join(next, 'src/app/config.ts'))),
    ...(await import(join(next, 'src/kernel/logger.ts'))),
    ...(await import(join(next, 'dist/start-node.js'))),
  }
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: database.url,
    REDIS_URL: redis.redisUrl,
    REDIS_KEY_PREFIX: redis.redisPrefix,
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    ...environment,
  })
  return use(await startNode({ config, logger: createLogger('silent') }), (node: TestNode) => node.close())
}

/** Of cached entries. Each ends in the fingerprint of its kind, and the text of its key. */
async function storedKeys(): Promise<readonly string[]> {
  const keys = await client.keys(`${redis.redisPrefix}1:*`)
  return keys.sort()
}

async function change(file: string, text: string, other: string): Promise<void> {
  const is = await readFile(join(next, file), 'utf8')
  expect(is).toContain(text)
  await writeFile(join(next, file), is.replace(text, other))
}
