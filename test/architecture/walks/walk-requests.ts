/** Starts a node, and writes which files of `src` requests enter, as JSON: see `walks.test.ts`. Needs `mark-functions.mjs`. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { readConfig } from '../../../src/app/config.ts'
import { startNode } from '../../../src/app/start-node.ts'
import { createLogger } from '../../../src/kernel/logger.ts'

interface Walk {
  readonly cache: string
  /** In the order in which they are entered. */
  readonly files: readonly string[]
}

declare global {
  var onEntered: ((file: string) => void) | undefined
}

const directory = await mkdtemp(join(tmpdir(), 'stet-walks-'))
const config = readConfig({ PORT: '0', LOG_LEVEL: 'error', DATA_DIRECTORY: directory })
const node = await startNode({ config, logger: createLogger(config.logLevel), sample: true })
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
try {
  const ids = await articleIds()
  process.stdout.write(JSON.stringify({ hit: await walkHit(), miss: await walkMiss(ids) }))
} finally {
  agent.destroy()
  await node.close()
  await rm(directory, { recursive: true })
}

/** A list that was asked for before, with the same bytes. */
async function walkHit(): Promise<Walk> {
  const question = { query: '{ articles(first: 5) { nodes { title author { displayName } tags { name } } } }' }
  return walk(Array.from({ length: 10 }, () => question))
}

/** Articles whose rows memory holds, but which nobody asked for together. */
async function walkMiss(ids: readonly string[]): Promise<Walk> {
  const query =
    'query($ids: [ID!]!) { nodes(ids: $ids) { ... on Article { title author { displayName } tags { name } } } }'
  const ask = (...wanted: readonly (string | undefined)[]) => ({ query, variables: { ids: wanted } })
  for (const id of ids) await exchange(ask(id))
  return walk(ids.slice(1).map((id, n) => ask(id, ids[n])))
}

/** What each of the last requests enters: work in the background falls into one or the other, and is left out. */
async function walk(questions: readonly object[]): Promise<Walk> {
  let common: string[] | undefined
  let cache = ''
  for (const [n, question] of questions.entries()) {
    const entered = new Set<string>()
    globalThis.onEntered = (file) => entered.add(file)
    cache = (await exchange(question)).cache
    globalThis.onEntered = undefined
    if (n >= questions.length - 4) common = (common ?? [...entered]).filter((file) => entered.has(file))
  }
  return { cache, files: common ?? [] }
}

async function articleIds(): Promise<readonly string[]> {
  const { data } = JSON.parse((await exchange({ query: '{ articles(first: 10) { nodes { id } } }' })).body)
  return data.articles.nodes.map(({ id }: { readonly id: string }) => id)
}

async function exchange(question: object): Promise<{ readonly body: string; readonly cache: string }> {
  const headers = { 'content-type': 'application/json' }
  const sent = request(`${node.url}/graphql`, { method: 'POST', agent, headers }).end(JSON.stringify(question))
  const [response] = await once(sent, 'response')
  return { body: await text(response), cache: String(response.headers['cache-status']) }
}
