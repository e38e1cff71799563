import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { signToken } from '../../src/identity/sign-token.ts'
import { eventually, GraphQLClient, type TestNode } from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { runStet } from './run-stet.ts'

const OLD = 'the first secret, which is long enough'
const NEW = 'the second secret, which is long enough'
const OTHER = 'a third secret, which nobody ever took'

const directory = use(await mkdtemp(join(tmpdir(), 'stet-secrets-')), (it) => rm(it, { recursive: true }))
const database = await useDatabase()

const tokenBy = (secret: string) => signToken(secret, { role: 'admin', userId: undefined, expiresInSeconds: 600 })
const tokens = { old: await tokenBy(OLD), new: await tokenBy(NEW), other: await tokenBy(OTHER) }

/** Which tokens a node takes. Asked twice: what was verified is remembered. */
async function taken(node: TestNode): Promise<string[]> {
  const names: string[] = []
  for (const [name, token] of Object.entries(tokens)) {
    const statuses = [await status(node, token), await status(node, token)]
    expect(statuses[0]).toBe(statuses[1])
    if (statuses[0] === 200) names.push(name)
  }
  return names
}

const status = async (node: TestNode, token: string) =>
  (await new GraphQLClient(node.url, token).send('{ articles { totalCount } }')).status

const nodeWith = (file: string) =>
  useNode({
    database,
    environment: { AUTH_JWT_SECRET: '', AUTH_JWT_SECRET_FILE: file, AUTH_MAX_FAILURES: '100000' },
  })

it('takes several secrets at once, the first of which signs', async () => {
  const AUTH_JWT_SECRET = `${NEW}\n${OLD}`
  const node = await useNode({ database, environment: { AUTH_JWT_SECRET } })
  expect(await taken(node)).toEqual(['old', 'new'])
  const { stdout } = await runStet(['token', '--role', 'admin'], { AUTH_JWT_SECRET })
  expect(await status(node, stdout.trim())).toBe(200)
  const first = await useNode({ database, environment: { AUTH_JWT_SECRET: NEW } })
  expect(await status(first, stdout.trim())).toBe(200)
})

it('exchanges secrets under a running node, and forgets what the old one had verified', async () => {
  const file = join(directory, 'written-over')
  await writeFile(file, `${OLD}\n`)
  const node = await nodeWith(file)
  expect(await taken(node)).toEqual(['old'])
  await writeFile(file, `${OLD}\n${NEW}\n`)
  await eventually(async () => expect(await taken(node)).toEqual(['old', 'new']))
  await writeFile(file, `${NEW}\n`)
  await eventually(async () => expect(await taken(node)).toEqual(['new']))
  const { stdout } = await runStet(['token', '--role', 'admin'], { AUTH_JWT_SECRET_FILE: file })
  expect(await status(node, stdout.trim())).toBe(200)
})

it('follows links that lead elsewhere, as Kubernetes has it, and a file that takes the place of another', async () => {
  // <mount>/secret -> ..data/secret, and ..data -> a folder, which is exchanged as a whole.
  const mount = join(directory, 'mount')
  const put = async (folder: string, secrets: string) => {
    await mkdir(join(mount, folder), { recursive: true })
    await writeFile(join(mount, folder, 'secret'), secrets)
    await symlink(folder, join(mount, '..data-next'))
    await rename(join(mount, '..data-next'), join(mount, '..data'))
  }
  await put('..one', OLD)
  await symlink(join('..data', 'secret'), join(mount, 'secret'))
  const node = await nodeWith(join(mount, 'secret'))
  expect(await taken(node)).toEqual(['old'])
  await put('..two', NEW)
  await rm(join(mount, '..one'), { recursive: true })
  await eventually(async () => expect(await taken(node)).toEqual(['new']))

  const replaced = join(directory, 'replaced')
  await writeFile(replaced, OLD)
  const other = await nodeWith(replaced)
  await writeFile(`${replaced}.next`, NEW)
  await rename(`${replaced}.next`, replaced)
  await eventually(async () => expect(await taken(other)).toEqual(['new']))
})

it.each<[what: string, spoil: (file: string) => Promise<void>]>([
  ['gone', (file) => rm(file)],
  ['empty', (file) => writeFile(file, '')],
  ['too short', (file) => writeFile(file, 'hunter2')],
  ['partly too short', (file) => writeFile(file, `${NEW}\nhunter2`)],
])('keeps the secrets that it has while the file is %s, and never runs without', async (what, spoil) => {
  const file = join(directory, what)
  await writeFile(file, OLD)
  const node = await nodeWith(file)
  await spoil(file)
  // Between the two moments at which another node notices a change, this node reads its file once at least.
  const witness = join(directory, `${what} witness`)
  await writeFile(witness, OLD)
  const other = await nodeWith(witness)
  for (const [secret, name] of [
    [NEW, 'new'],
    [OLD, 'old'],
  ] as const) {
    await writeFile(witness, secret)
    await eventually(async () => expect(await taken(other)).toEqual([name]))
  }
  expect(await taken(node)).toEqual(['old'])
  await writeFile(file, NEW)
  await eventually(async () => expect(await taken(node)).toEqual(['new']))
})
