import { keySlot } from '../../../src/redis/key-slot.ts'
import { eventually, type RedisClusterNode } from '../../harness/index.ts'
import { scenario, type Tolerance } from '../scenario.ts'
import { clusterServers, isMaster } from '../servers/cluster-servers.ts'

const viewsOnly: Tolerance = { errors: ['OVERLOADED', 'TIMEOUT', 'NOT_CAUGHT_UP'] }

export default [
  scenario({
    name: 'a master of a Redis Cluster is killed, and its replica takes over',
    servers: clusterServers,
    // What had not reached the replica.
    tolerates: { ...viewsOnly, losses: ['lost view'] },
    onlyLong: true,
    async strike({ servers, dice, hold, note }) {
      const killed = dice.pick(await servers.masters())
      const { address, server, admin, proxy, replica } = killed
      note(`the master at ${address} is killed`)
      await server.kill()
      await eventually(() => isMaster(replica))
      note(`its replica at ${replica.address} has taken over`)
      await hold(0, 1000)
      await server.restart({ keepData: true })
      await admin.config('SET', 'cluster-announce-port', proxy.port)
      // Else the next blow could take the last one that has something.
      await eventually(async () => (await admin.info('replication')).includes('master_link_status:up'))
      note(`${address} is back, as its replica`)
      // The breaker before a server that nobody asks any more would stay open.
      await eventually(
        async () => {
          await admin.cluster('FAILOVER')
          // A master gives it up after five seconds: then it must be asked for again.
          return eventually(() => isMaster(killed), { withinMs: 6000 })
        },
        { withinMs: 40_000 },
      )
      note(`${address} is a master again`)
    },
  }),

  scenario({
    name: 'a thousand slots of a Redis Cluster move',
    servers: clusterServers,
    tolerates: viewsOnly,
    onlyLong: true,
    async strike({ servers, dice, hold, note }) {
      const masters = await servers.masters()
      const from = masters.find(({ slots }) => slots.includes(QUEUE_SLOT))
      if (!from) throw new Error('Nobody has the slot of the queue.')
      const to = dice.pick(masters.filter((master) => master !== from))
      const others = from.slots.filter((slot) => slot !== QUEUE_SLOT)
      const first = dice.below(Math.max(1, others.length - 999))
      const moving = [QUEUE_SLOT, ...others.slice(first, first + 999)]
      note(`${moving.length} slots, that of the queue among them, begin to move from ${from.address} to ${to.address}`)
      for (const slot of moving) {
        await to.admin.cluster('SETSLOT', slot, 'IMPORTING', from.id)
        await from.admin.cluster('SETSLOT', slot, 'MIGRATING', to.id)
      }
      await hold(0, 500)
      for (const slot of moving) await hand(slot, from, to)
      note('they have moved')
    },
  }),
]

/** Where views wait. */
const QUEUE_SLOT = keySlot('{views}')

async function hand(slot: number, from: RedisClusterNode, to: RedisClusterNode): Promise<void> {
  const { hostname, port } = new URL(to.server.url)
  for (;;) {
    const keys = await from.admin.cluster('GETKEYSINSLOT', slot, 100)
    if (keys.length === 0) break
    await from.admin.call('MIGRATE', hostname, port, '', '0', '5000', 'KEYS', ...keys)
  }
  for (const { admin } of [to, from]) await admin.cluster('SETSLOT', slot, 'NODE', to.id)
}
