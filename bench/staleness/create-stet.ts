import { Cache, Ledger, RedisTier, rowTag } from '../../src/cache/index.ts'
import { Follower, type Heard, Log, type Loudspeaker } from '../../src/invalidation/index.ts'
import { connectRedis } from '../connect-redis.ts'
import { type Contestant, type ContestantOptions, NODES } from './contestant.ts'

/** Stet's engine as a node wires it, but without NOTIFY, so that a lost message is lost for good. */
export async function createStet({ pool, redisUrl, prefix, deliver, linger }: ContestantOptions): Promise<Contestant> {
  const redis = connectRedis(redisUrl)
  const subscriber = connectRedis(redisUrl)
  const hearers: ((heard: Heard) => void)[] = []
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async () => {
      const ledger = new Ledger()
      let hearOwn: ((heard: Heard) => void) | undefined
      const loudspeaker: Loudspeaker = {
        name: 'lossy',
        start: (hear) => {
          hearOwn = hear
          hearers.push(hear)
        },
        publish: (stretch) => {
          for (const hear of hearers) if (hear !== hearOwn) deliver(() => hear({ kind: 'stretch', stretch }))
        },
        stop: async () => {},
      }
      const follower = new Follower({ log: new Log(pool), ledger, loudspeakers: [loudspeaker] })
      await follower.start()
      const remote = new RedisTier({ redis, subscriber, channel: `${prefix}leases`, onError: () => {} })
      const cache = new Cache({ ledger, settle: () => follower.settle(), remote, namespace: prefix })
      const versions = cache.kind<number, number>({
        name: 'version',
        ttlMs: 60_000,
        key: String,
        tags: (key) => [rowTag('counters', key)],
        load: async (keys) => {
          const { rows } = await pool.query<{ position: string; unsettled: boolean; id: number; version: number }>(
            'select * from stet.as_of left join counters on id = any($1)',
            [keys],
          )
          await linger()
          const values = keys.map((key) => rows.find((row) => row.id === key)?.version)
          return { asOf: Number(rows[0]?.position), unsettled: rows[0]?.unsettled ?? true, values }
        },
      })
      return { follower, versions }
    }),
  )

  const at = (node: number) => {
    const found = nodes[node]
    if (!found) throw new RangeError(`There is no node ${node}.`)
    return found
  }
  return {
    read: async (node, key) => (await at(node).versions.get(key)) ?? 0,
    write: async (node, key) => {
      const { rows } = await pool.query<{ version: number }>(
        'update counters set version = version + 1 where id = $1 returning version',
        [key],
      )
      await at(node).follower.settle()
      return rows[0]?.version ?? 0
    },
    close: async () => {
      await Promise.all(nodes.map(({ follower }) => follower.stop()))
      redis.disconnect()
      subscriber.disconnect()
    },
  }
}
