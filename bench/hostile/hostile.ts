import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { loadavg } from 'node:os'
import { Worker } from 'node:worker_threads'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { Random, Zipf } from '../../src/kernel/random.ts'
import { RunningStet } from '../../test/api/run-stet.ts'
import {
  createRedisPrefix,
  createTestDatabase,
  queryOnce,
  sharedServers,
  TEST_JWT_SECRET,
  testToken,
} from '../../test/harness/index.ts'
import { seedArticles } from '../seed-articles.ts'
import type { AttackOrder } from './attacker.ts'
import { ATTACKS, type Attack, LONG, MARKDOWN } from './attacks.ts'

/**
 * What a legitimate client waits at a steady rate, at rest and during each attack, on a node as `stet serve` starts it.
 *
 * @param options `--only <part of a name>`; `--write <file>` puts the table between the file's two marks
 */
export async function hostile(options: readonly string[]): Promise<void> {
  const only = optionOf(options, '--only') ?? ''
  execFileSync('npm', ['run', 'build:server'], { stdio: 'ignore' })
  const database = await createTestDatabase()
  const node = new RunningStet(['serve', '--json'], {
    PORT: '0',
    LOG_LEVEL: 'silent',
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    DATABASE_URL: database.url,
    REDIS_URL: sharedServers().redisUrl,
    REDIS_KEY_PREFIX: createRedisPrefix(),
  })
  try {
    const { url } = await node.serving()
    await seed(database.url)
    const client = new LegitimateClient(url)
    await client.measure(WARM_UP_MS)
    const rows: string[] = []
    for (const attack of ATTACKS.filter(({ name }) => name.includes(only))) {
      const row = await compare(client, attack, url)
      rows.push(row)
      console.log(row)
    }
    const table = [HEAD, ...rows].join('\n')
    const about = `${RATE} requests a second by the legitimate client, ${ATTACK_MS / 1000} s for each attack, from one address; load of the machine ${loadavg()[0]?.toFixed(1)} on its cores.`
    console.log(`\n${table}\n\n${about}`)
    const file = optionOf(options, '--write')
    if (file !== undefined) writeTable(file, `${table}\n\n${about}`)
  } finally {
    await node.end('SIGKILL')
    await database.drop()
  }
}

const ARTICLES = 2000
const RATE = 40
const WARM_UP_MS = 5000
const REST_MS = 3000
const ATTACK_MS = 5000
const HEAD = [
  '| attack | connections | answers a second | most of them | p50, p99 at rest (ms) | during | p99 ratio |',
  '|---|---|---|---|---|---|---|',
].join('\n')

async function compare(client: LegitimateClient, attack: Attack, url: string): Promise<string> {
  const rest = await client.measure(REST_MS)
  const bearer = attack.author === undefined ? undefined : await testToken('author', attack.author)
  const order: AttackOrder = { name: attack.name, url, bearer, forMs: ATTACK_MS }
  const attacked = runAttack(order)
  const during = await client.measure(ATTACK_MS)
  const answered = await attacked
  const total = Object.values(answered).reduce((sum, count) => sum + count, 0)
  const [most = 'none'] = Object.entries(answered).sort(([, a], [, b]) => b - a)[0] ?? []
  const cells = [
    attack.name,
    attack.connections,
    (total / (ATTACK_MS / 1000)).toFixed(0),
    most === '200' ? 'answered' : most,
    rest.text,
    during.text,
    `× ${(during.p99 / rest.p99).toFixed(1)}`,
  ]
  return `| ${cells.join(' | ')} |`
}

function runAttack(order: AttackOrder): Promise<Readonly<Record<string, number>>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./attacker.ts', import.meta.url), { workerData: order })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

interface Waited {
  readonly p99: number
  readonly text: string
}

/** Reads popular articles and lists at a steady rate. What it waits counts from when a request was due, sent or not. */
class LegitimateClient {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 })
  readonly #random = new Random(1)
  readonly #zipf = new Zipf(ARTICLES)

  constructor(url: string) {
    this.#url = url
  }

  async measure(forMs: number): Promise<Waited> {
    const count = Math.round((forMs / 1000) * RATE)
    const begun = performance.now()
    const waits = Array.from({ length: count }, async (_, n) => {
      const dueAt = begun + (n * 1000) / RATE
      await new Promise((resolve) => setTimeout(resolve, dueAt - performance.now()))
      // A timer may be a little early.
      const since = Math.min(dueAt, performance.now())
      const isAnswered = await this.#read()
      return isAnswered ? performance.now() - since : Number.POSITIVE_INFINITY
    })
    const all = (await Promise.all(waits)).sort((a, b) => a - b)
    const at = (quantile: number) => all[Math.min(count - 1, Math.floor(count * quantile))] ?? Number.NaN
    const failed = all.filter((wait) => wait === Number.POSITIVE_INFINITY).length
    const text = `${at(0.5).toFixed(1)}, ${at(0.99).toFixed(1)}${failed > 0 ? `; ${failed} of ${count} failed` : ''}`
    return { p99: at(0.99), text }
  }

  /** Whether it was answered with data. */
  #read(): Promise<boolean> {
    const id = toGlobalId('Article', 1 + this.#zipf.pick(this.#random))
    const body =
      this.#random.next() < 0.2
        ? JSON.stringify({ query: '{ articles(first: 20) { nodes { title summary author { displayName } } } }' })
        : JSON.stringify({
            query: 'query ($id: ID!) { article(id: $id) { title body tags { name } } }',
            variables: { id },
          })
    return new Promise((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request(`${this.#url}/graphql`, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200))
      })
      sent.on('error', () => resolve(false))
      sent.end(body)
    })
  }
}

async function seed(url: string): Promise<void> {
  await seedArticles(url, ARTICLES)
  const insert = `insert into articles (slug, title, body, author_id, status, published_at)
    values ($1, 'Hostile', $2, 1, 'PUBLISHED', '2001-01-01')`
  await queryOnce(url, insert, [LONG, 'a word '.repeat(70_000)])
  for (const [n, slug] of MARKDOWN.entries()) {
    const unit = ['<b>', '<i>x</b>', '![', '|x|y|\n', '['][n % 5] ?? ''
    const head = unit.startsWith('|') ? '|a|b|\n|-|-|\n' : ''
    await queryOnce(url, insert, [slug, head + unit.repeat(400_000 / unit.length)])
  }
}

function optionOf(options: readonly string[], name: string): string | undefined {
  const at = options.indexOf(name)
  return at < 0 ? undefined : options[at + 1]
}

const BEGIN = '<!-- npm run bench -- hostile -->'
const END = '<!-- end of the table -->'

function writeTable(file: string, text: string): void {
  const before = readFileSync(file, 'utf8')
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for the table: ${BEGIN} … ${END}`)
  writeFileSync(file, `${before.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${before.slice(end)}`)
}
