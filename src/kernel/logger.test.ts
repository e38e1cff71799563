import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'

/** What a process writes to standard error that logs an error as ioredis and Node make them. */
async function logged(): Promise<string> {
  const program = `
    const { createLogger } = await import(${JSON.stringify(new URL('logger.ts', import.meta.url).href)})
    const cause = Object.assign(new TypeError('Invalid URL'), { input: 'postgres://ann:hunter2@db:x/stet' })
    const err = new Error('Failed at redis://ann:hunter2@redis:6379', { cause })
    err.command = { name: 'auth', args: ['ann', 'hunter2'] }
    err.self = err
    err.errors = [cause]
    createLogger('info').warn({ err }, 'It failed')`
  const runner = fileURLToPath(new URL('../../scripts/run-typescript.mjs', import.meta.url))
  const child = spawn(process.execPath, ['--import', runner, '--input-type=module', '--eval', program])
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

it('logs errors without the credentials in them, and otherwise as they are', async () => {
  const text = await logged()
  expect(text).not.toMatch(/hunter2/)
  const { msg, err } = JSON.parse(text.split('\n')[0] ?? '')
  expect(msg).toBe('It failed')
  expect(err).toMatchObject({ type: 'Error', command: { name: 'auth' } })
  expect(err.message).toBe('Failed at redis://(secret)@redis:6379: Invalid URL')
  expect(err.stack).toContain('\n    at ')
})
