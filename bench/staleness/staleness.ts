import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { installStet } from '../../src/invalidation/index.ts'
import { Random } from '../../src/kernel/random.ts'
import { createRedisPrefix, createTestDatabase, sharedServers } from '../../test/harness/index.ts'
import { type Contestant, type ContestantOptions, NODES } from './contestant.ts'
import { createCacheAside } from './create-cache-aside.ts'
import { createStet } from './create-stet.ts'

/** Counts stale reads under lost and late messages and slow fills: of the usual cache-aside, and of Stet. */
export async function staleness(): Promise<void> {
  const seed = Number(process.env.BENCH_SEED ?? 1)
  console.log(
    `\nstaleness: ${SECONDS} s each, ${KEYS} keys, ${NODES} nodes, 20 % of messages lost, all late by up to 5 ms, fills slow by up to 5 ms (BENCH_SEED=${seed})`,
  )
  for (const [name, create] of [
    ['cache-aside, delete on write, pub/sub', createCacheAside],
    ['Stet', createStet],
  ] as const) {
    const { reads, stale, forGood } = await run(create, seed)
    console.log(
      `  ${name.padEnd(38)} ${reads} reads, ${stale} older than a write of ${GRACE_MS} ms before, ${forGood} keys wrong 2 s after the last write`,
    )
  }
}

const SECONDS = 12
const KEYS = 50
/** A read counts as stale only if it misses a write that is older than this. */
const GRACE_MS = 200

async function run(create: (options: ContestantOptions) => Promise<Contestant>, seed: number) {
  const seeded = new Random(seed)
  const random = () => seeded.next()
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 12 })
  pool.on('error', () => {}) // the database is dropped under idle connections
  await installStet(pool)
  await pool.query(`create table counters (id int primary key, version int not null)`)
  await pool.query(`insert into counters select n, 0 from generate_series(1, ${KEYS}) n`)
  await pool.query(`select stet.watch('counters', 'id')`)
  const contestant = await create({
    pool,
    redisUrl: sharedServers().redisUrl,
    prefix: createRedisPrefix(),
    deliver: (message) => {
      if (random() >= 0.2) setTimeout(message, random() * 5)
    },
    linger: () => (random() < 0.2 ? wait(random() * 5) : Promise.resolve()),
  })
  try {
    /** By key: its versions, and when each was acknowledged. */
    const written = Array.from({ length: KEYS + 1 }, () => [{ version: 0, at: -Infinity }])
    const until = performance.now() + SECONDS * 1000
    let reads = 0
    let stale = 0
    const reader = async () => {
      while (performance.now() < until) {
        const key = 1 + Math.floor(random() * KEYS)
        const begun = performance.now()
        const due = written[key]?.findLast(({ at }) => at <= begun - GRACE_MS)?.version ?? 0
        if ((await contestant.read(Math.floor(random() * NODES), key)) < due) stale++
        if (++reads % 20 === 0) await wait(1)
      }
    }
    const writer = async () => {
      while (performance.now() < until) {
        const key = 1 + Math.floor(random() * KEYS)
        const version = await contestant.write(Math.floor(random() * NODES), key)
        written[key]?.push({ version, at: performance.now() })
        await wait(random() * 10)
      }
    }
    await Promise.all([...Array.from({ length: 6 }, reader), writer(), writer()])
    await wait(2000)
    let forGood = 0
    const { rows } = await pool.query<{ id: number; version: number }>('select id, version from counters')
    for (const { id, version } of rows) {
      const known = await Promise.all(Array.from({ length: NODES }, (_, node) => contestant.read(node, id)))
      if (known.some((seen) => seen !== version)) forGood++
    }
    return { reads, stale, forGood }
  } finally {
    await contestant.close()
    await pool.end()
    await database.drop()
  }
}
