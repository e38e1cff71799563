import { execFile } from 'node:child_process'
import { chmod, lstat, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { eventually } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'
import { RunningStet, runStet } from './run-stet.ts'

const EARLIER = '{"type":"tag","slug":"earlier","name":"Earlier"}\n'
const NOWHERE = 'postgres://user:hunter2@127.0.0.1:1/nowhere'

const home = use(await mkdtemp(path.join(tmpdir(), 'stet-export-')), (it) => rm(it, { recursive: true }))
const database = await useDatabase()
await runStet(['seed', '--articles', '100', '--users', '3', '--tags', '5'], { DATABASE_URL: database.url })

let folder: string
let backup: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(home, 'backups-'))
  backup = path.join(folder, 'backup.jsonl')
  await writeFile(backup, EARLIER)
})

describe('stet export keeps the file that is there', () => {
  it('while the database is away', async () => {
    expect((await runStet(['export', backup], { DATABASE_URL: NOWHERE })).code).toBe(1)
    await expectUntouched()
  })

  it('while another process holds the embedded database', async () => {
    const data = { DATA_DIRECTORY: path.join(folder, 'data'), PORT: '0' }
    const server = new RunningStet(['serve', '--json'], data)
    await server.serving()
    const { code, stderr } = await runStet(['export', backup], data)
    await server.end('SIGTERM')
    await rm(data.DATA_DIRECTORY, { recursive: true })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^stet: .+\n$/)])
    await expectUntouched()
  })

  it('if the disk takes only a part', async () => {
    const stet = fileURLToPath(new URL('../../dist/stet.js', import.meta.url))
    const limited = promisify(execFile)(
      'sh',
      ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, stet, 'export', backup],
      {
        env: { PATH: process.env.PATH, DATABASE_URL: database.url },
      },
    )
    await expect(limited).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('EFBIG') })
    await expectUntouched()
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'if %s ends it half-way, and leaves nothing beside it',
    async (signal) => {
      await whileArticlesWait(async (running) => {
        expect((await running.end(signal)).code).toBe(signal)
      })
      await expectUntouched()
    },
  )

  it('if it is killed half-way', async () => {
    await whileArticlesWait(async (running) => {
      expect((await running.end('SIGKILL')).code).toBe('SIGKILL')
    })
    expect(await readFile(backup, 'utf8')).toBe(EARLIER)
    expect((await runStet(['import', backup, '--json'], { DATABASE_URL: database.url })).code).toBe(0)
  })

  it('if it is a link that leads nowhere, as to a disk that is away', async () => {
    const link = path.join(folder, 'link.jsonl')
    await symlink('away/backup.jsonl', link)
    const { code, stderr } = await runStet(['export', link], { DATABASE_URL: database.url })
    expect([code, stderr]).toEqual([1, expect.stringContaining('link.jsonl is a link that leads nowhere')])
    expect(await readlink(link)).toBe('away/backup.jsonl')
    await rm(link)
    await expectUntouched()
  })

  it('if it is a folder', async () => {
    const { code, stderr } = await runStet(['export', folder], { DATABASE_URL: database.url })
    expect([code, stderr]).toEqual([1, expect.stringContaining('EISDIR')])
    await expectUntouched()
  })
})

it('replaces the file as a whole, follows a link to it, and keeps its mode', async () => {
  await chmod(backup, 0o600)
  const link = path.join(folder, 'link.jsonl')
  await symlink('backup.jsonl', link)
  const { code, stdout } = await runStet(['export', link, '--json'], { DATABASE_URL: database.url })
  expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ articles: 100 })])
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect((await stat(backup)).mode & 0o777).toBe(0o600)
  expect((await readFile(backup, 'utf8')).trim().split('\n').length).toBeGreaterThan(100)
  expect((await readdir(folder)).sort()).toEqual(['backup.jsonl', 'link.jsonl'])
})

it('writes to a device as it is', async () => {
  expect((await runStet(['export', '/dev/null'], { DATABASE_URL: database.url })).code).toBe(0)
  expect(await runStet(['export', '/dev/full'], { DATABASE_URL: database.url })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENOSPC'),
  })
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
})

async function expectUntouched(): Promise<void> {
  expect(await readdir(folder)).toEqual(['backup.jsonl'])
  expect(await readFile(backup, 'utf8')).toBe(EARLIER)
}

/** Runs an export that has begun its file, and waits for the articles. */
async function whileArticlesWait(work: (running: RunningStet) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await client.query('begin; lock table articles')
    const running = new RunningStet(['export', backup], { DATABASE_URL: database.url })
    await eventually(async () => expect(await readdir(folder)).toHaveLength(2))
    await work(running)
  } finally {
    await client.end()
  }
}
