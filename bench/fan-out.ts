import type { Redis } from 'ioredis'
import pg from 'pg'
import { Ledger } from '../src/cache/index.ts'
import {
  Follower,
  installStet,
  Log,
  type Loudspeaker,
  NotifyLoudspeaker,
  RedisLoudspeaker,
} from '../src/invalidation/index.ts'
import { createRedisPrefix, createTestDatabase, sharedServers } from '../test/harness/index.ts'
import { connectRedis } from './connect-redis.ts'
import { median } from './report.ts'

/** How long it takes from the acknowledgement of a write on one node until another node's ledger has it: by Redis, by NOTIFY alone, by the beat alone. */
export async function fanOut(): Promise<void> {
  console.log(
    `\nfan-out: from the acknowledgement of a write to its application on another node (ms, ${WRITES} writes)`,
  )
  for (const road of ['redis', 'notify', 'beat'] as const) {
    const delays = await measure(road)
    const sorted = [...delays].sort((a, b) => a - b)
    const at99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
    console.log(
      `  ${road.padEnd(8)} median ${median(delays).toFixed(2).padStart(7)}   p99 ${at99.toFixed(2).padStart(7)}`,
    )
  }
}

const WRITES = 300

async function measure(road: 'redis' | 'notify' | 'beat'): Promise<number[]> {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url })
  pool.on('error', () => {}) // the database is dropped under idle connections
  const channel = createRedisPrefix()
  const clients: Redis[] = []
  const connect = (): Redis => {
    const client = connectRedis(sharedServers().redisUrl)
    clients.push(client)
    return client
  }
  const loudspeakers = (): Loudspeaker[] => {
    if (road === 'beat') return []
    if (road === 'notify')
      return [new NotifyLoudspeaker({ connect: () => new pg.Client(database.url), onError: () => {} })]
    return [new RedisLoudspeaker({ publisher: connect(), subscriber: connect(), channel, onError: console.error })]
  }
  /** Resolved when the other node has applied the record at this position. */
  const arrivals = new Map<number, (at: number) => void>()
  const here = new Follower({
    log: new Log(pool),
    ledger: new Ledger(),
    loudspeakers: loudspeakers(),
  })
  const there = new Follower({
    log: new Log(pool),
    ledger: new Ledger(),
    loudspeakers: loudspeakers(),
    observer: {
      onAdvance: (records) => {
        for (const { position } of records) arrivals.get(position)?.(performance.now())
      },
    },
    ...(road !== 'beat' && { beatMs: 60_000 }),
  })
  try {
    await installStet(pool)
    await here.start()
    await there.start()
    const delays: number[] = []
    for (let n = 0; n < WRITES; n++) {
      const arrived = new Promise<number>((resolve) => arrivals.set(n + 1, resolve))
      await pool.query(`select stet.touch('x')`)
      await here.settle()
      const acknowledgedAt = performance.now()
      delays.push(Math.max(0, (await arrived) - acknowledgedAt))
    }
    return delays
  } finally {
    await Promise.all([here.stop(), there.stop()])
    for (const client of clients) client.disconnect()
    await pool.end()
    await database.drop()
  }
}
