import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { jwtVerify } from 'jose'
import pg from 'pg'
import { options } from '../../src/app/config.ts'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { createTestDatabase, eventually, queryOnce } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'
import { ids } from './add-content.ts'
import { RunningStet, runStet } from './run-stet.ts'

const SECRET = 'correct horse battery staple, and more'
const NOWHERE = 'postgres://user:hunter2@127.0.0.1:1/nowhere'

const directory = use(await mkdtemp(join(tmpdir(), 'stet-cli-')), (it) => rm(it, { recursive: true }))
const database = use(await createTestDatabase(), (empty) => empty.drop())
const other = await useDatabase()

it('helps, with exit code 0', async () => {
  const { code, stdout, stderr } = await runStet(['--help'])
  expect([code, stderr]).toEqual([0, ''])
  for (const command of ['serve', 'migrate', 'import <path>', 'export', 'seed', 'token', 'config', 'cache'].map(
    (name) => name.split(' ')[0],
  )) {
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  }
})

it.each([
  [],
  ['sing'],
  ['seed'],
  ['seed', '--articles', '0'],
  ['token', '--role', 'author'],
  ['token', '--role', 'author', '--user', ids.cats],
  ['token', '--role', 'admin', '--hours', '-1'],
])('says how it is used, with exit code 2: stet %s %s %s %s %s', async (...args) => {
  const { code, stdout, stderr } = await runStet(args.filter((arg) => arg !== undefined))
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toMatch(/ at .*:\d+/)
  expect(stderr).not.toBe('')
})

it('names a variable that holds nonsense in one line, with exit code 2', async () => {
  for (const command of ['config', 'serve', 'migrate']) {
    const { code, stdout, stderr } = await runStet([command], { PORT: 'http' })
    expect([code, stdout, stderr]).toEqual([2, '', 'PORT must be a whole number from 0 to 65535, not "http".\n'])
  }
})

it('prints every option with its default and the value in force, and no secret', async () => {
  const environment = { PORT: '5000', AUTH_JWT_SECRET: SECRET, DATABASE_URL: NOWHERE, LOG_LEVEL: '' }
  const text = await runStet(['config'], environment)
  const json = await runStet(['config', '--json'], environment)
  expect([text.code, text.stderr, json.code, json.stderr]).toEqual([0, '', 0, ''])
  for (const { stdout } of [text, json]) {
    expect(stdout).not.toMatch(/hunter2|user:|correct horse/)
    for (const { variable } of Object.values(options)) expect(stdout).toContain(variable)
  }
  expect(text.stdout).toMatch(/^PORT +5000 {2}\[default 4000\]$/m)
  expect(text.stdout).toMatch(/^CACHE_TTL_ARTICLE +300 seconds$/m)
  const rows = JSON.parse(json.stdout) as { variable: string }[]
  expect(rows).toContainEqual(expect.objectContaining({ variable: 'PORT', value: '5000', default: '4000' }))
  expect(rows).toContainEqual(expect.objectContaining({ variable: 'LOG_LEVEL', value: 'info' }))
  expect(rows).toContainEqual(expect.objectContaining({ variable: 'AUTH_JWT_SECRET', value: '(secret)' }))
})

it('signs tokens that are good', async () => {
  const claimsOf = async (...args: string[]) => {
    const { code, stdout } = await runStet(['token', ...args], { AUTH_JWT_SECRET: SECRET })
    expect(code).toBe(0)
    const token = args.includes('--json') ? (JSON.parse(stdout) as { token: string }).token : stdout.trim()
    return (await jwtVerify(token, new TextEncoder().encode(SECRET))).payload
  }
  const lasts = (hours: number) => ({
    iat: expect.any(Number),
    exp: expect.closeTo(Date.now() / 1000 + hours * 3600, -2),
  })
  expect(await claimsOf('--role', 'admin')).toEqual({ role: 'admin', ...lasts(24) })
  expect(await claimsOf('--role', 'admin', '--user', '7', '--json')).toEqual({
    role: 'admin',
    sub: toGlobalId('User', 7),
    ...lasts(24),
  })
  expect(await claimsOf('--role', 'author', '--user', ids.bob, '--hours', '0.5')).toEqual({
    role: 'author',
    sub: ids.bob,
    ...lasts(0.5),
  })
  expect(
    (await runStet(['token', '--role', 'admin'], { AUTH_JWKS_URL: 'https://example.com/keys', AUTH_AUDIENCE: '*' }))
      .code,
  ).toBe(2)
  expect((await runStet(['token', '--role', 'admin'], { HOST: '0.0.0.0' })).code).toBe(2)
})

it('migrates once, and says what it did', async () => {
  const environment = { DATABASE_URL: database.url }
  const first = await runStet(['migrate', '--json'], environment)
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(JSON.parse(first.stdout)).toEqual({
    applied: expect.arrayContaining([expect.stringMatching(/^log-/), '0002_content']),
  })
  expect(await runStet(['migrate', '--json'], environment)).toEqual({ code: 0, stdout: '{"applied":[]}\n', stderr: '' })
  expect(await runStet(['migrate'], environment)).toEqual({ code: 0, stdout: 'Up to date.\n', stderr: '' })
})

it('seeds, exports, and imports what was exported into another database', async () => {
  const file = join(directory, 'all.jsonl')
  const seeded = await runStet(['seed', '--articles', '30', '--users', '3', '--tags', '5', '--json'], {
    DATABASE_URL: database.url,
  })
  expect([seeded.code, JSON.parse(seeded.stdout)]).toEqual([0, { articles: 30, users: 3, tags: 5 }])
  const exported = await runStet(['export', file, '--json'], { DATABASE_URL: database.url })
  expect([exported.code, JSON.parse(exported.stdout)]).toEqual([0, { articles: 30, users: 3, tags: 5 }])
  const imported = await runStet(['import', file, '--json'], { DATABASE_URL: other.url })
  expect([imported.code, imported.stderr]).toEqual([0, ''])
  const lines = imported.stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(30 + 3 + 5 + 1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    file: 'all.jsonl',
    line: 1,
    outcome: 'imported',
    why: [],
    notes: [],
  })
  const { summary } = JSON.parse(lines.at(-1) ?? '')
  expect(summary).toMatchObject({ files: 1, articles: { created: 30 }, outcomes: { skipped: 0 } })
  const again = await runStet(['export'], { DATABASE_URL: other.url })
  expect([again.code, again.stdout]).toEqual([0, await readFile(file, 'utf8')])
})

it('ends an import at Ctrl-C after the batch in hand, says how far it came, and goes on when it is run again', async () => {
  const { url } = await useDatabase()
  const environment = { DATABASE_URL: url }
  const folder = join(directory, 'many')
  await mkdir(folder)
  for (let n = 1000; n < 2501; n++) await writeFile(join(folder, `post-${n}.md`), `Text of ${n}`)
  expect((await runStet(['migrate'], environment)).code).toBe(0)
  const other = use(new pg.Client(url), (it) => it.end())
  await other.connect()
  // The second batch waits for this row.
  await other.query('begin')
  await other.query("insert into tags (slug, name) values ('wait', 'Wait')")
  await writeFile(join(folder, 'post-1600.md'), '---\ntags: [wait]\n---\nText')
  const running = new RunningStet(['import', folder, '--json'], environment)
  // In this database: others on the server wait for locks of their own.
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  await eventually(async () => (await queryOnce(url, waiting)).length > 0)
  running.signal('SIGINT')
  running.signal('SIGINT')
  await other.query('rollback')
  const { code, stdout, stderr } = await running.ended
  expect([code, stderr]).toEqual([130, 'stet: stopped after 1000 of 1501; run again, it goes on\n'])
  const { summary } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  expect(summary).toMatchObject({ stopped: { done: 1000, total: 1501 }, articles: { created: 1000 } })
  const again = await runStet(['import', folder], environment)
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('501 created, 0 updated, 1000 unchanged')])
})

it('writes nothing to a terminal that it would obey', async () => {
  const odd = join(directory, 'odd')
  await mkdir(odd)
  await writeFile(join(odd, 'red\u001b[31m\n0 files.md'), '---\ndraft: true\n---\n')
  const { code, stderr } = await runStet(['import', odd], { DATABASE_URL: other.url })
  expect([code, stderr]).toEqual([0, 'red\\u001b[31m\\u000a0 files.md:1: is a draft: draft is true\n'])
})

it('imports what it can, names what it cannot, and ends with exit code 1', async () => {
  const file = join(directory, 'some.jsonl')
  await writeFile(file, '{"type":"tag","slug":"fine","name":"Fine"}\n{"type":"tag"\n')
  const { code, stdout, stderr } = await runStet(['import', file], { DATABASE_URL: other.url })
  expect(code).toBe(1)
  expect(stdout).toContain('tags:     1 created')
  expect(stdout).toMatch(/^1 file\..*\n +1 imported\n +1 left out, because it\n +1 is not JSON\n/)
  expect(stderr).toContain('some.jsonl:2: ')
  expect(await queryOnce(other.url, `select name from tags where slug = 'fine'`)).toEqual([{ name: 'Fine' }])
})

it.each([
  ['migrate', 'nothing listens', NOWHERE, []],
  ['serve', 'nothing listens', NOWHERE, []],
  ['seed', 'nothing listens', NOWHERE, ['--articles', '1']],
  ['import', 'the path does not exist', undefined, ['/nowhere/to/be/found']],
  ['export', 'the file cannot be written', undefined, ['/nowhere/to/be/found.jsonl']],
])('fails with one line and exit code 1: %s where %s', async (command, _why, url, args) => {
  const { code, stdout, stderr } = await runStet([command, ...args], { DATABASE_URL: url ?? other.url })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^stet: .+\n$/)
  expect(stderr).not.toContain('hunter2')
})
