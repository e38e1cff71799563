import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { queryOnce, sharedServers, startFaultProxy } from '../../harness/index.ts'
import { startReplyGate } from '../races/reply-gate.ts'
import { countWords, TallyWorld } from './tally-world.ts'

let world: TallyWorld
const closers: (() => unknown)[] = []

beforeEach(async () => {
  world = await TallyWorld.create()
})

afterEach(async () => {
  await world.end()
  for (const close of closers.splice(0)) await close()
})

it('counts each job once, in as many statements as there are batches', async () => {
  const batches: number[] = []
  const { worker, words } = world.worker({
    apply: (transaction, counts) => {
      batches.push([...counts.values()].reduce((a, b) => a + b))
      return countWords.apply(transaction, counts)
    },
  })
  await Promise.all(Array.from({ length: 2500 }, (_, n) => words.add(n % 5 === 0 ? 'rare' : 'often')))
  await worker.drain()
  expect(await world.tally()).toEqual({ often: 2000, rare: 500 })
  expect(batches).toEqual([1000, 1000, 500])
  expect(await world.stream.state()).toEqual({ depth: 0, lagMs: 0, dead: 0 })
})

it('counts each job once, however many workers there are', async () => {
  const { words } = world.worker()
  const workers = Array.from({ length: 5 }, () => world.worker().worker)
  const adding = Promise.all(Array.from({ length: 3000 }, () => words.add('word')))
  await Promise.all(workers.map((worker) => worker.drain()))
  await adding
  await Promise.all(workers.map((worker) => worker.drain()))
  expect(await world.tally()).toEqual({ word: 3000 })
})

it('counts a batch once that was committed and not acknowledged', async () => {
  const proxy = await startFaultProxy(hostAndPort(sharedServers().redisUrl))
  closers.push(() => proxy.close())
  const { worker, words } = world.worker({
    redisUrl: proxy.through(sharedServers().redisUrl),
    apply: async (transaction, counts) => {
      await countWords.apply(transaction, counts)
      await proxy.cut()
    },
  })
  await words.add('word')
  await words.add('word')
  await expect(worker.drain()).rejects.toThrow()
  expect(await world.tally()).toEqual({ word: 2 })
  expect(await world.stream.state()).toMatchObject({ depth: 2 })

  const seen: unknown[] = []
  const other = world.worker({ observer: { onApplied: (_queue, ...counts) => seen.push(counts) } })
  await other.words.add('word')
  await other.worker.drain()
  expect(await world.tally()).toEqual({ word: 3 })
  expect(seen).toEqual([[1, 2]])
  expect(await world.stream.state()).toMatchObject({ depth: 0 })
})

it('counts a batch once whose commit was never confirmed', async () => {
  const gate = await startReplyGate(sharedServers().postgresUrl)
  const { worker, words } = world.worker({ databaseUrl: gate.through(world.databaseUrl) })
  await words.add('word')
  const commit = gate.hold(/^Q....commit/)
  const drained = worker.drain().catch((error: Error) => error)
  await commit.arrived
  await gate.close()
  await drained
  expect(await world.tally()).toEqual({ word: 1 })
  await world.worker().worker.drain()
  expect(await world.tally()).toEqual({ word: 1 })
  expect(await world.stream.state()).toMatchObject({ depth: 0 })
})

it('counts a batch whose worker lost its connection in the middle, and outlives that', async () => {
  let lost = 0
  const { worker, words } = world.worker({
    apply: async (transaction, counts) => {
      await countWords.apply(transaction, counts)
      if (lost++ > 0) return
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction)
      await queryOnce(world.databaseUrl, 'select pg_terminate_backend($1, 5000)', [rows[0]?.pid])
    },
  })
  await words.add('word')
  await expect(worker.drain()).rejects.toThrow()
  expect(await world.tally()).toEqual({})
  await worker.drain()
  expect(await world.tally()).toEqual({ word: 1 })
})

it('goes on when Redis has lost all it held', async () => {
  const { worker, words } = world.worker()
  await words.add('before')
  await worker.drain()
  await words.add('lost')
  await world.redis.del(world.key)
  await words.add('after')
  await expect(worker.drain()).rejects.toThrow('NOGROUP')
  await worker.drain()
  expect(await world.tally()).toEqual({ before: 1, after: 1 })
})

it('counts nothing twice that Redis comes back with, and all that is new', async () => {
  const { worker, words } = world.worker()
  await words.add('old')
  await worker.drain()
  await words.add('old')
  const copy = await world.redis.dumpBuffer(world.key)
  await worker.drain()
  await words.add('old')
  await worker.drain()
  if (!copy) throw new Error('There is nothing to copy.')
  await world.redis.restore(world.key, 0, copy, 'REPLACE')
  expect(await world.stream.state()).toMatchObject({ depth: 1 })
  await words.add('new')
  await worker.drain()
  expect(await world.tally()).toEqual({ old: 3, new: 1 })
  // And had it lost its memory of what it was before, too.
  await world.redis.del(world.key)
  await words.add('new')
  await expect(worker.drain()).rejects.toThrow('NOGROUP')
  await worker.drain()
  await world.redis.restore(world.key, 0, copy, 'REPLACE')
  await expect(worker.drain()).rejects.toThrow('NOGROUP')
  await worker.drain()
  expect(await world.tally()).toEqual({ old: 3, new: 2 })
})

it('counts nothing twice that Redis comes back with from before anybody had looked at it', async () => {
  const { worker, words } = world.worker()
  await words.add('first')
  const copy = await world.redis.dumpBuffer(world.key)
  await worker.drain()
  if (!copy) throw new Error('There is nothing to copy.')
  await world.redis.restore(world.key, 0, copy, 'REPLACE')
  // Another process, which has seen nothing of it.
  await world.worker().worker.drain()
  expect(await world.tally()).toEqual({ first: 1 })
})

it('counts what comes after Redis came back with a clock that is behind', async () => {
  const { worker, words } = world.worker()
  await words.add('old')
  await worker.drain()
  await world.sql(
    `update stet.applied set last_id = (1000 * extract(epoch from now() + interval '1 hour'))::bigint || '-0'`,
  )
  await words.add('taken for old')
  await worker.drain()
  for (let n = 0; n < 3; n++) await words.add('new')
  await worker.drain()
  expect(await world.tally()).toEqual({ old: 1, new: 3 })
})

it('takes no more than its bound, loses nothing of that, and takes more again', async () => {
  const refused: string[] = []
  const { worker, words } = world.worker({ maxEntries: 3, observer: { onRefused: (queue) => refused.push(queue) } })
  const adds = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((word) => words.add(word)))
  expect(adds.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  expect(adds[3]).toMatchObject({ reason: { code: 'OVERLOADED' } })
  expect(refused).toEqual(['words', 'words'])
  await worker.drain()
  await words.add('f')
  await worker.drain()
  expect(await world.tally()).toEqual({ a: 1, b: 1, c: 1, f: 1 })
})

it('refuses a job where Redis cannot be reached', async () => {
  const causes: unknown[] = []
  const { words } = world.worker({
    redisUrl: 'redis://127.0.0.1:1',
    observer: { onRefused: (_queue, cause) => causes.push(cause) },
  })
  await expect(words.add('word')).rejects.toMatchObject({ code: 'OVERLOADED' })
  expect(causes).toEqual([expect.any(Error)])
})

it('looks every second, and ends the batch at hand when it is stopped', async () => {
  const { worker, words, clock } = world.worker()
  worker.start()
  await words.add('word')
  clock.advance(999)
  clock.advance(1)
  await worker.stop()
  expect(await world.tally()).toEqual({ word: 1 })
  expect(await world.stream.state()).toMatchObject({ depth: 0 })
})

function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
