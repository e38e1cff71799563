import { expect, it } from '@jest/globals'
import { corsFor } from './cors.ts'

it.each([
  'http://localhost',
  'http://localhost:3000',
  'https://localhost:5173',
  'http://app.localhost:3000',
  'http://127.0.0.1:8080',
  'http://127.1.2.3',
  'http://[::1]:4321',
])('takes %s for a page of this machine', (origin) => {
  expect(corsFor('loopback').linesFor(origin)).toContain(`access-control-allow-origin: ${origin}\r\n`)
})

it.each([
  'null',
  '',
  'localhost',
  'http://localhost.example',
  'http://127.0.0.1.example',
  'http://evil.example/http://localhost',
  'http://evil-localhost',
  'http://localhost:3000, http://evil.example',
  'http://localhost\r\nset-cookie: a=b',
  'HTTP://LOCALHOST',
  'file://localhost',
  'http://localhost@evil.example',
  'http://10.0.0.1',
])('does not take %j for one', (origin) => {
  expect(corsFor('loopback').varies).toBe(true)
  expect(corsFor('loopback').linesFor(origin)).toBe('')
  expect(corsFor('loopback').preflightLinesFor(origin)).toBe('')
})

it('takes the origins of a list to the letter', () => {
  const cors = corsFor(['https://a.example', 'https://b.example'])
  expect(cors.varies).toBe(true)
  for (const origin of ['https://a.example', 'https://b.example']) {
    expect(cors.linesFor(origin)).toMatch(`access-control-allow-origin: ${origin}\r\n`)
  }
  for (const origin of ['https://a.example:444', 'http://a.example', 'https://A.example', 'https://c.a.example', '*']) {
    expect(cors.linesFor(origin)).toBe('')
  }
})

it.each([
  ['any', '*', '*'],
  ['a single one', ['https://a.example'], 'https://a.example'],
] as const)('says the same to all if %s may call: no cache must tell origins apart', (_what, origins, named) => {
  const cors = corsFor(origins)
  const lines = cors.linesFor(undefined)
  expect(lines).toMatch(`access-control-allow-origin: ${named}\r\n`)
  expect(cors.varies).toBe(false)
  for (const origin of ['https://a.example', 'https://evil.example', 'null']) expect(cors.linesFor(origin)).toBe(lines)
})

it('allows credentials to no page: nothing here looks at cookies', () => {
  for (const origins of ['*', 'loopback', ['http://localhost'], ['http://localhost', 'http://b.example']] as const) {
    expect(corsFor(origins).preflightLinesFor('http://localhost')).not.toMatch(/credentials/i)
  }
})
