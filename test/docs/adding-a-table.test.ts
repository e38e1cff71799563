import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { addContent, ids } from '../api/add-content.ts'
import { currentToken, GraphQLClient, queryOnce, TEST_JWT_SECRET, testToken } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'
import { type Block, blocks } from './blocks.ts'

/** What docs/adding-a-table.md adds, added to a copy of this repository. */
const page = blocks.filter(({ file }) => file === 'docs/adding-a-table.md')
const copy = use(await mkdtemp(join(tmpdir(), 'stet-adding-')), (directory) => rm(directory, { recursive: true }))
const run = (command: string, ...words: string[]) => promisify(execFile)(command, words, { cwd: copy })

for (const name of [
  'src',
  'schema',
  'migrations',
  'sql',
  'scripts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
]) {
  await cp(name, join(copy, name), { recursive: true })
}
for (const name of ['node_modules', 'dist']) await symlink(resolve(name), join(copy, name))

it('is done by the blocks of the page, each of which is a file or a change to one', async () => {
  expect(page.filter(({ path }) => path === undefined)).toEqual([])
  for (const block of page) await apply(block)
})

it('compiles, once the types were generated', async () => {
  await run(process.execPath, 'scripts/generate-types.mjs')
  const configuration = { extends: './tsconfig.json', include: [], files: ['src/cli/stet.ts'] }
  await writeFile(join(copy, 'tsconfig.docs.json'), JSON.stringify(configuration))
  const { stdout } = await run('node_modules/.bin/tsc', '-p', 'tsconfig.docs.json').catch((error) => error)
  expect(stdout).toBe('')
})

it('serves comments, fresh after each write', async () => {
  const database = await useDatabase()
  const { readConfig } = await import(join(copy, 'src/app/config.ts'))
  const { startNode } = await import(join(copy, 'src/app/start-node.ts'))
  const { createLogger } = await import(join(copy, 'src/kernel/logger.ts'))
  const environment = { PORT: '0', DATABASE_URL: database.url, AUTH_JWT_SECRET: TEST_JWT_SECRET }
  const node = use(await startNode({ config: readConfig(environment), logger: createLogger('silent') }), (it) =>
    it.close(),
  )
  await addContent(database.url)
  const admin = new GraphQLClient(node.url, await testToken('admin'))
  const read = async () => {
    const query = 'query ($id: ID!) { article(id: $id) { comments { text } } }'
    return admin.get(query, { id: ids.published }, { 'stet-as-of': await currentToken(database.url) })
  }
  expect(await read()).toEqual({ article: { comments: [] } })
  const add = 'mutation ($id: ID!, $text: String!) { addComment(articleId: $id, text: $text) { comment { text } } }'
  expect(await admin.get(add, { id: ids.published, text: 'First' })).toEqual({
    addComment: { comment: { text: 'First' } },
  })
  expect(await read()).toEqual({ article: { comments: [{ text: 'First' }] } })
  await queryOnce(database.url, `insert into comments (article_id, text) values (1, 'By hand'), (4, 'Elsewhere')`)
  expect(await read()).toEqual({ article: { comments: [{ text: 'First' }, { text: 'By hand' }] } })
  await queryOnce(database.url, `update comments set text = 'Changed' where text = 'First'`)
  expect(await read()).toEqual({ article: { comments: [{ text: 'Changed' }, { text: 'By hand' }] } })
})

async function apply({ language, path = '', code }: Block): Promise<void> {
  const file = join(copy, path)
  expect([path, existsSync(file)]).toEqual([path, language === 'diff'])
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, language === 'diff' ? changed(await readFile(file, 'utf8'), code) : code)
}

/** Puts what a diff has for what it had. */
function changed(text: string, diff: string): string {
  const lines = diff.trimEnd().split('\n')
  const side = (without: '+' | '-') =>
    lines
      .filter((line) => !line.startsWith(without))
      .map((line) => `${line.slice(1)}\n`)
      .join('')
  const parts = text.split(side('+'))
  expect([diff, parts.length]).toEqual([diff, 2])
  return parts.join(side('-'))
}
