import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { RunningStet } from '../../test/api/run-stet.ts'
import {
  createRedisPrefix,
  queryOnce,
  startPostgres,
  startRedis,
  TEST_JWT_SECRET,
  testToken,
} from '../../test/harness/index.ts'
import { pin, unpin } from '../pin.ts'
import { seedArticles } from '../seed-articles.ts'
import type { AttackOrder } from './attacker.ts'
import { ATTACKS, type Attack, LONG, MARKDOWN } from './attacks.ts'
import type { ReadOrder, Waited } from './legitimate-client.ts'

/**
 * What a legitimate client waits at a steady rate, at rest and during each attack, on a node as `stet serve` starts it. The node has
 * the first core for itself. PostgreSQL, Redis, the attacker and the client share the second, where the client goes first
 * and the attacker last.
 *
 * @param options `--only <part of a name>|<part of another>`; `--write <file>` puts the table between the file's two marks
 */
export async function hostile(options: readonly string[]): Promise<void> {
  const only = (optionOf(options, '--only') ?? '').split('|')
  execFileSync('npm', ['run', 'build:server'], { stdio: 'ignore' })
  pin(1)
  const [postgres, redis] = [await startPostgres(), await startRedis()]
  const node = new RunningStet(['serve', '--json'], {
    PORT: '0',
    LOG_LEVEL: 'silent',
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: createRedisPrefix(),
  })
  const client = fork(new URL('./legitimate-client.ts', import.meta.url))
  try {
    pin(0, node.pid)
    const { url } = await node.serving()
    await seed(postgres.url)
    // The attacker is a thread of this process.
    setPriority(constants.priority.PRIORITY_LOW)
    const measure = (forMs: number) => ask(client, { url, articles: ARTICLES, perSecond: RATE, forMs })
    await measure(WARM_UP_MS)
    const rows: string[] = []
    for (const attack of ATTACKS.filter(({ name }) => only.some((part) => name.includes(part)))) {
      const row = await compare(attack, url, measure)
      rows.push(row)
      console.log(row)
    }
    const table = [HEAD, ...rows].join('\n')
    const about = `${RATE} requests a second by the legitimate client, ${ATTACK_MS / 1000} s at rest and from the second second of each attack on, from one address.`
    console.log(`\n${table}\n\n${about}`)
    const file = optionOf(options, '--write')
    if (file !== undefined) writeTable(file, `${table}\n\n${about}`)
  } finally {
    client.kill()
    await node.end('SIGKILL')
    await Promise.all([postgres.stop(), redis.stop()])
    unpin()
    setPriority(constants.priority.PRIORITY_NORMAL)
  }
}

const ARTICLES = 2000
const RATE = 100
const WARM_UP_MS = 5000
const REST_MS = 5000
const ATTACK_MS = 5000
/** In which connections are opened and code is compiled. */
const SETTLE_MS = 1000
const HEAD = [
  '| attack | connections | answers a second | most of them | p50, p99 at rest (ms) | during | p99 ratio |',
  '|---|---|---|---|---|---|---|',
].join('\n')

async function compare(attack: Attack, url: string, measure: (forMs: number) => Promise<Waited>): Promise<string> {
  const rest = await measure(REST_MS)
  const bearer = attack.author === undefined ? undefined : await testToken('author', attack.author)
  const order: AttackOrder = { name: attack.name, url, bearer, forMs: SETTLE_MS + ATTACK_MS }
  const attacked = runAttack(order)
  await sleep(SETTLE_MS)
  const during = await measure(ATTACK_MS)
  const answered = await attacked
  const total = Object.values(answered).reduce((sum, count) => sum + count, 0)
  const [most = 'none'] = Object.entries(answered).sort(([, a], [, b]) => b - a)[0] ?? []
  const cells = [
    attack.name,
    attack.connections,
    (total / ((SETTLE_MS + ATTACK_MS) / 1000)).toFixed(0),
    most === '200' ? 'answered' : most,
    tell(rest),
    tell(during),
    `× ${(during.p99 / rest.p99).toFixed(1)}`,
  ]
  return `| ${cells.join(' | ')} |`
}

const tell = ({ p50, p99, failed, count }: Waited): string =>
  `${p50.toFixed(1)}, ${p99.toFixed(1)}${failed > 0 ? `; ${failed} of ${count} failed` : ''}`

async function ask(client: ChildProcess, order: ReadOrder): Promise<Waited> {
  const told = once(client, 'message')
  client.send(order)
  const [waited] = await told
  return waited
}

function runAttack(order: AttackOrder): Promise<Readonly<Record<string, number>>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./attacker.ts', import.meta.url), { workerData: order })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
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
