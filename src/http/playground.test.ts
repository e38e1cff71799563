import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import Fastify, { type FastifyInstance } from 'fastify'
import { type PlaygroundOptions, registerPlayground } from './playground.ts'

const script = 'console.log("the playground")'
let directory: string
let app: FastifyInstance

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stet-playground-'))
  await mkdir(join(directory, 'assets'))
  await writeFile(join(directory, 'index.html'), '<title>Stet</title>')
  await writeFile(join(directory, 'assets', 'index-abc.js'), script)
  await writeFile(join(directory, 'assets', 'index-abc.js.br'), brotliCompressSync(script))
})

afterEach(() => app.close())
afterAll(() => rm(directory, { recursive: true }))

it('leads from the root to the playground', async () => {
  const origin = await serve()
  const response = await fetch(`${origin}/`, { redirect: 'manual' })
  expect(response.status).toBe(302)
  expect(response.headers.get('location')).toBe('/graphiql')
})

it('serves a page that is checked for news every time and may load nothing from elsewhere', async () => {
  const origin = await serve()
  for (const path of ['/graphiql', '/graphiql/']) {
    const response = await fetch(origin + path)
    expect(await response.text()).toBe('<title>Stet</title>')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';")
    expect(response.headers.get('content-security-policy')).not.toContain('http')
  }
})

it.each(['identity', 'br'])('serves assets that are kept for good, to a reader of %s', async (encoding) => {
  const origin = await serve()
  const response = await fetch(`${origin}/graphiql/assets/index-abc.js`, { headers: { 'accept-encoding': encoding } })
  expect(await response.text()).toBe(script)
  expect(response.headers.get('content-encoding')).toBe(encoding === 'br' ? 'br' : null)
  expect(response.headers.get('content-type')).toContain('javascript')
  expect(response.headers.get('vary')).toBe('accept-encoding')
  expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
})

it('answers 404 for an asset that is not there', async () => {
  const origin = await serve()
  expect((await fetch(`${origin}/graphiql/assets/other.js`)).status).toBe(404)
})

it('tells the page its name and version, and no token outside demo mode', async () => {
  const origin = await serve()
  const response = await fetch(`${origin}/graphiql/config.json`)
  expect(await response.json()).toEqual({ name: 'Stet', version: '1.2.3' })
  expect(response.headers.get('cache-control')).toBe('no-store')
})

it.each(['localhost:4000', '127.0.0.1:4000', '[::1]:4000'])('hands the demo token to a page at %s', async (host) => {
  const origin = await serve({ demoToken: 'admin' })
  expect(JSON.parse(await getAs(host, `${origin}/graphiql/config.json`))).toHaveProperty('demoToken', 'admin')
})

it.each(['rebound.example', '127.0.0.1.example:4000'])('keeps the demo token from a page at %s', async (host) => {
  const origin = await serve({ demoToken: 'admin' })
  expect(JSON.parse(await getAs(host, `${origin}/graphiql/config.json`))).toEqual({ name: 'Stet', version: '1.2.3' })
})

it('says how to build the page where it is not built', async () => {
  const origin = await serve({ directory: join(directory, 'nowhere') })
  const response = await fetch(`${origin}/graphiql`)
  expect(response.status).toBe(404)
  expect(await response.text()).toContain('npm run build:playground')
})

async function serve(options: Partial<PlaygroundOptions> = {}): Promise<string> {
  app = Fastify()
  await registerPlayground(app, { directory, version: '1.2.3', ...options })
  return app.listen({ port: 0, host: '127.0.0.1' })
}

/** `fetch` would not let us choose the host. */
async function getAs(host: string, url: string): Promise<string> {
  const [response] = await once(get(url, { headers: { host } }), 'response')
  return text(response)
}
