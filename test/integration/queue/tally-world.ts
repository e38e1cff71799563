import { Redis } from 'ioredis'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { createPool } from '../../../src/database/pool.ts'
import type { Tables } from '../../../src/database/tables.ts'
import { GuardedRedis } from '../../../src/redis/guarded-redis.ts'
import {
  type Queue,
  type QueueKind,
  queueKey,
  RedisStream,
  Worker,
  type WorkerObserver,
} from '../../../src/worker/index.ts'
import { createMigratedDatabase, createRedisPrefix, sharedServers, type TestDatabase } from '../../harness/index.ts'
import { ManualClock } from '../../models/manual-clock.ts'

/** A queue of words, counted in a table of their own: `tally` says how often each was. */
export class TallyWorld {
  readonly prefix = createRedisPrefix()
  readonly redis: Redis
  readonly #redisUrl: string
  readonly #database: TestDatabase
  readonly #db: Kysely<Tables>
  readonly #closers: (() => unknown)[] = []

  private constructor(database: TestDatabase, redisUrl: string) {
    this.#database = database
    this.#redisUrl = redisUrl
    this.redis = this.#connect(redisUrl)
    this.#db = this.#open(database.url)
  }

  static async create({ redisUrl = sharedServers().redisUrl } = {}): Promise<TallyWorld> {
    const world = new TallyWorld(await createMigratedDatabase(), redisUrl)
    await sql`create table tallies (word text primary key check (word <> 'poison'), n bigint not null)`.execute(
      world.#db,
    )
    return world
  }

  get databaseUrl(): string {
    return this.#database.url
  }

  /** What Redis holds of the queue. */
  get stream(): RedisStream {
    return new RedisStream({ redis: new GuardedRedis(this.redis), key: this.key, maxEntries: 1000 })
  }

  get key(): string {
    return queueKey(this.prefix, 'words')
  }

  /** A worker as a process of its own would have it: with clients of its own, which may lead through proxies. */
  worker({
    databaseUrl = this.#database.url,
    redisUrl = this.#redisUrl,
    apply = countWords.apply,
    maxEntries = 100_000,
    maxDead,
    observer = {},
    inMemory = false,
  }: Partial<WorkerParts> = {}): TallyWorker {
    const clock = new ManualClock()
    const worker = new Worker({
      primary: this.#open(databaseUrl),
      redis: inMemory ? undefined : new GuardedRedis(this.#connect(redisUrl)),
      prefix: this.prefix,
      maxEntries,
      maxDead,
      everyMs: 1000,
      onCommit: async () => {},
      observer,
      clock,
    })
    return { worker, words: worker.queue({ ...countWords, apply }), clock }
  }

  async tally(): Promise<Record<string, number>> {
    const { rows } = await sql<{ word: string; n: number }>`select word, n from tallies order by word`.execute(this.#db)
    return Object.fromEntries(rows.map(({ word, n }) => [word, n]))
  }

  async sql(text: string): Promise<void> {
    await sql.raw(text).execute(this.#db)
  }

  async end(): Promise<void> {
    for (const close of this.#closers) await close()
    await this.#database.drop()
  }

  #open(url: string): Kysely<Tables> {
    const pool = createPool({ url, max: 3, statementTimeoutMs: 5000, onError: () => {} })
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    this.#closers.push(() => db.destroy())
    return db
  }

  #connect(url: string): Redis {
    const redis = new Redis(url, { commandTimeout: 10_000, retryStrategy: () => 20, maxRetriesPerRequest: 3 })
    redis.on('error', () => {})
    this.#closers.push(() => redis.disconnect())
    return redis
  }
}

export const countWords: QueueKind<string, ReadonlyMap<string, number>> = {
  name: 'words',
  parse: (json) => {
    if (typeof json !== 'string') throw new TypeError('A word is a text.')
    return json
  },
  merge: (words) => {
    const counts = new Map<string, number>()
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
    return counts
  },
  apply: (transaction, counts) =>
    sql`
      insert into tallies select * from unnest(${[...counts.keys()]}::text[], ${[...counts.values()]}::bigint[])
      on conflict (word) do update set n = tallies.n + excluded.n`.execute(transaction),
}

interface WorkerParts {
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly apply: typeof countWords.apply
  readonly maxEntries: number
  readonly maxDead: number
  readonly observer: WorkerObserver
  readonly inMemory: boolean
}

export interface TallyWorker {
  readonly worker: Worker
  readonly words: Queue<string>
  readonly clock: ManualClock
}
