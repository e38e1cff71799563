import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import type { Browser, ConsoleMessage, Page } from 'playwright-core'
import { launchChromium } from '../harness/index.ts'
import { FreshClone } from './fresh-clone.ts'

/** Somebody who has nothing but Node and the README. */
jest.setTimeout(600_000)

let clone: FreshClone
let browser: Browser
let printed: string

beforeAll(async () => {
  clone = await FreshClone.make()
  browser = await launchChromium()
  const [first] = clone.readmeCommands()
  if (!first) throw new Error('The README has no command.')
  // Whoever runs the tests has run `npm ci`: it takes longer than all that follows.
  const installs = process.env.TEST_NPM_CI !== undefined
  if (!installs) clone.linkPackages()
  printed = await clone.serve(installs ? first : first.replace('npm ci && ', ''))
})

afterAll(async () => {
  await browser?.close()
  await clone?.remove()
})

it('starts with the first command of the README, and says where to click', () => {
  expect(printed).toContain(`http://127.0.0.1:${clone.port}/graphiql`)
  expect(printed).toMatch(/Bearer \S+ {2}\(admin\)/)
})

it('opens GraphiQL without the network, queries, changes a title, and sees the new one', async () => {
  const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage()
  const outside: string[] = []
  const problems: string[] = []
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol !== 'data:' && host !== `127.0.0.1:${clone.port}`) outside.push(request.url())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !isTooSoon(message)) problems.push(message.text())
  })

  await page.goto(`http://127.0.0.1:${clone.port}/`)
  expect(page.url()).toBe(`http://127.0.0.1:${clone.port}/graphiql`)
  await page.locator('.graphiql-query-editor .view-line').first().waitFor()

  expect(await runTab(page, 'Newest')).toMatchObject({ data: { articles: { totalCount: expect.any(Number) } } })
  const retitled = await runTab(page, 'Retitle')
  expect(retitled.data).toMatchObject({ updateArticle: { article: { title: expect.stringMatching(/\(stet\)$/) } } })
  const newest = await runTab(page, 'Newest')
  expect(JSON.stringify(newest)).toContain('(stet)')
  await page.locator('.graphiql-response').filter({ hasText: '(stet)' }).waitFor()

  if (process.env.TEST_SCREENSHOTS) await page.screenshot({ path: join(process.env.TEST_SCREENSHOTS, 'newcomer.png') })

  // Again, and why it came as it did.
  const bar = page.getByRole('status')
  await runTab(page, 'Newest')
  await bar.getByText(/^the whole answer, from memory, good for \d+ s$/).waitFor()
  await page.getByLabel('Explain').check()
  expect(await runTab(page, 'Newest')).toHaveProperty('extensions.stet')
  const explanation = page.locator('.stet-explanation').first()
  await explanation.getByText('Nothing that it depends on was written since it was read.').waitFor()
  await explanation
    .getByText(/It lives for [\d.]+ s at most/)
    .first()
    .waitFor()
  await explanation
    .getByText(/^article \d+$/)
    .first()
    .click()
  await explanation.locator('details[open]').getByText('Memory held it, and it stands.').first().waitFor()
  expect(await page.locator('.graphiql-response').innerText()).not.toContain('extensions')
  if (process.env.TEST_SCREENSHOTS) await page.screenshot({ path: join(process.env.TEST_SCREENSHOTS, 'explained.png') })
  expect(outside).toEqual([])
  expect(problems).toEqual([])
})

it('runs every other command of the README as it stands', async () => {
  const [first, ...others] = clone.readmeCommands()
  const isHere = (commands: string) => !ELSEWHERE.some((pattern) => pattern.test(commands))
  const [whileServing, afterwards] = [
    others.filter((it) => it.includes('curl')),
    others.filter((it) => !it.includes('curl')),
  ]

  for (const commands of whileServing) expect(JSON.parse(clone.run(commands))).not.toHaveProperty('errors')

  await clone.interrupt()
  expect(existsSync(join(clone.directory, '.data/lock'))).toBe(false)
  for (const commands of afterwards.filter(isHere)) clone.run(commands)

  expect(first).toBe('npm ci && npm start')
  expect(afterwards.filter(isHere).length).toBeGreaterThanOrEqual(3)
  expect(existsSync(join(clone.directory, 'backup.jsonl'))).toBe(true)
})

it('starts again with all that was written, and a second server on the same data is refused', async () => {
  await clone.serve('npm start')
  const query = '{ "query": "{ articles(first: 1) { totalCount } users { totalCount } }" }'
  const answer = clone.run(`curl -s http://127.0.0.1:4000/graphql -H 'content-type: application/json' -d '${query}'`)
  expect(JSON.parse(answer).data.articles.totalCount).toBeGreaterThan(900)
  await expect(clone.serve('npm start')).rejects.toThrow('did not start')
})

/** What CI runs beside this very test, and what needs a Docker daemon. */
const ELSEWHERE = [/^npm (test|run check)/, /^docker /]

/** Picks one of the starting tabs, runs it, and returns the answer. */
async function runTab(page: Page, name: string): Promise<{ data: unknown; errors?: unknown; extensions?: unknown }> {
  await page.getByRole('tab', { name }).click()
  const execute = page.locator('.graphiql-execute-button')
  for (;;) {
    const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/graphql')
    await execute.click()
    const response = await answered
    const sent = response.request().postDataJSON() as { operationName?: string }
    if (sent.operationName === name) return response.json() as Promise<{ data: unknown }>
  }
}

/** GraphiQL takes a moment to notice that another tab is in front. Until then it asks for the last one's operation, and is refused. */
const isTooSoon = (message: ConsoleMessage): boolean =>
  message.location().url.endsWith('/graphql') && message.text().includes('status of 400')
