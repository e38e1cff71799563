import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { eventually } from '../harness/index.ts'
import { isRunning, processTree, signalTree } from '../harness/process-tree.ts'
import { FreshClone } from './fresh-clone.ts'

/** What ends npm must end the server too, whatever it does just then. */
jest.setTimeout(600_000)

let clone: FreshClone
const started: RunningNpm[] = []

beforeAll(async () => {
  clone = await FreshClone.make()
  clone.linkPackages()
})

afterAll(async () => {
  for (const { pid } of started) signalTree(pid, 'SIGKILL')
  await clone?.remove()
})

it('ends the build on SIGTERM, and does not take for built what was half built', async () => {
  const npm = new RunningNpm()
  const builders = await eventually(() => npm.others().length > 2 && npm.others())
  process.kill(npm.pid, 'SIGTERM')
  await npm.ended
  await eventually(() => !builders.some(isRunning))
  expect(existsSync(join(clone.directory, 'dist/stet.js'))).toBe(false)
  expect(existsSync(join(clone.directory, '.data'))).toBe(false)
})

it('ends a server that is still starting on SIGTERM, and frees its data', async () => {
  clone.copyBuilt()
  const npm = new RunningNpm()
  await eventually(() => existsSync(join(clone.directory, '.data/lock')), { withinMs: 300_000 })
  process.kill(npm.pid, 'SIGTERM')
  await npm.ended
  expect(npm.printed).not.toContain('Ctrl-C')
  expect(await isFree()).toBe(true)
})

it('ends the server on SIGTERM within its time limit, and frees its port and its data', async () => {
  const npm = new RunningNpm({ SHUTDOWN_TIMEOUT_MS: '500' })
  await npm.serving()
  const [server] = npm.others()
  const halfSent = connect(clone.port, '127.0.0.1').on('error', () => {})
  halfSent.write('POST /graphql HTTP/1.1\r\nhost: stet\r\ncontent-length: 100\r\n\r\n{')
  await once(halfSent, 'connect')
  process.kill(npm.pid, 'SIGTERM')
  await npm.ended
  expect(server !== undefined && isRunning(server)).toBe(false)
  expect(await isFree()).toBe(true)
})

it('ends in order on Ctrl-C, which reaches the server from the terminal and from npm', async () => {
  const npm = new RunningNpm()
  await npm.serving()
  process.kill(-npm.pid, 'SIGINT')
  await npm.ended
  expect(await isFree()).toBe(true)
})

it('passes the same flags to V8 however it is started', () => {
  const [shebang = ''] = readFileSync('src/cli/stet.ts', 'utf8').split('\n', 1)
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const flagsOf = (command: string) => / node ((--\S+ )*)/.exec(`${command} `)?.[1]
  expect(flagsOf(shebang)).toMatch(/^--/)
  expect(flagsOf(scripts.start)).toBe(flagsOf(shebang))
  expect(flagsOf(scripts.stet)).toBe(flagsOf(shebang))
})

class RunningNpm {
  readonly pid: number
  readonly ended: Promise<unknown>
  printed = ''

  constructor(environment: NodeJS.ProcessEnv = {}) {
    const npm = clone.spawn('npm', ['start'], environment)
    npm.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.printed += text
    })
    this.pid = npm.pid ?? 0
    this.ended = once(npm, 'exit')
    started.push(this)
  }

  /** The processes that npm started, and theirs. */
  others(): readonly number[] {
    return processTree(this.pid).slice(1)
  }

  async serving(): Promise<void> {
    await eventually(() => this.printed.includes('Ctrl-C'), { withinMs: 300_000 })
  }
}

/** Whether nobody listens on the port, and nobody holds the data. */
async function isFree(): Promise<boolean> {
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(clone.port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.unref()
  })
  return !answered && readdirSync(join(clone.directory, '.data')).join() === 'postgres'
}
