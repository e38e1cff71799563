import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { TinyDatabase } from '../../../test/models/tiny-database.ts'
import { processHolding, TinyProcess, type TinyProcessOptions } from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import type { Entry } from '../entry.ts'
import { ANY_WRITE } from '../ledger/cache-tag.ts'

it('does not let a slow fill outlive the write it raced', async () => {
  const process = holding('1')
  const { begun, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  process.writeAndFollow('a', '2')
  release()
  expect(await early).toBe('1')
  expect(await process.rows.get('a')).toBe('2')
})

it('does not put a slow fill into the remote tier either', async () => {
  const remote = new TinyRemote()
  const process = holding('1', { remote })
  const { begun, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  process.writeAndFollow('a', '2')
  release()
  await early
  expect(remote.stored.size).toBe(0)
})

it('keeps a slow fill that no write raced', async () => {
  const process = holding('1')
  const { begun, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  process.writeAndFollow('b', '1')
  release()
  await early
  await process.rows.get('a')
  expect(process.loads).toHaveLength(1)
})

it('loads a key once for all who ask for it meanwhile', async () => {
  const joined: string[] = []
  const process = holding('1', { observer: { onFlightJoined: (kind) => void joined.push(kind) } })
  const { begun, release } = process.hold()
  const all = [process.rows.get('a'), process.rows.get('a'), process.rows.getMany(['x', 'a'])]
  await begun
  release()
  expect(await Promise.all(all)).toEqual(['1', '1', [undefined, '1']])
  expect(process.loads.map(({ keys }) => keys)).toEqual([['a', 'x']])
  expect(joined).toHaveLength(2)
})

it('neither answers from a load that began before a write that the asker must see, nor waits for it', async () => {
  const process = holding('1')
  const { begun, letOthersPass, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  letOthersPass()
  process.writeAndFollow('a', '2')
  expect(await Promise.all([process.rows.get('a'), process.rows.get('a')])).toEqual(['2', '2'])
  release()
  expect(await early).toBe('1')
  expect(process.loads).toHaveLength(2)
})

it('waits for a load under way that only other writes have overtaken', async () => {
  const process = holding('1')
  const { begun, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  process.writeAndFollow('b', '1')
  const late = process.rows.get('a')
  release()
  expect(await Promise.all([early, late])).toEqual(['1', '1'])
  expect(process.loads).toHaveLength(1)
})

it('waits for what is thrown away afterwards, but loads anew what anything was written beside', async () => {
  let loads = 0
  const process = processHolding({ a: '1' })
  const once = process.cache.kind<string, string>({
    name: 'once',
    key: (key) => key,
    tags: () => [],
    load: async (keys) => {
      const number = ++loads
      const snapshot = await process.load(keys, 'primary')
      return { ...snapshot, values: [`load ${number}`], traits: [{ ttlMs: 0, tags: [ANY_WRITE] }] }
    },
    ttlMs: 1000,
  })
  const held = process.hold()
  const before = [once.get('a'), once.get('a')]
  await held.begun
  held.letOthersPass()
  process.writeAndFollow('b', '1')
  const after = [once.get('a'), once.get('a')]
  held.release()
  expect(await Promise.all(before)).toEqual(['load 1', 'load 1'])
  expect(await Promise.all(after)).toEqual(['load 2', 'load 2'])
  expect(once.getIfPresent('a')).toBeUndefined()
})

it('fails for all who wait where a load fails, and loads anew for the next', async () => {
  const process = holding('1')
  const failing = new Error('connection lost')
  let fails = true
  const rows = process.cache.kind<string, string>({
    name: 'shaky',
    key: (key) => key,
    tags: () => [],
    load: async (keys, source) => {
      if (fails) throw failing
      return process.load(keys, source)
    },
    ttlMs: 1000,
  })
  const waiting = [rows.get('a'), rows.getMany(['a', 'b']), rows.getMany(['b', 'c'])]
  for (const outcome of await Promise.allSettled(waiting)) expect(outcome).toMatchObject({ reason: failing })
  fails = false
  expect(await rows.get('a')).toBe('1')
})

it('waits, after a load that failed, for one that has begun since', async () => {
  const process = holding('1')
  const first = process.hold()
  const reads = Promise.allSettled([process.rows.get('a'), process.rows.get('a')])
  await first.begun
  process.writeAndFollow('a', '2')
  const second = process.hold()
  const late = process.rows.get('a')
  await second.begun
  process.failure = new Error('connection lost')
  first.release()
  await turn()
  process.failure = undefined
  second.release()
  expect(await reads).toMatchObject([{ reason: new Error('connection lost') }, { value: '2' }])
  expect(await late).toBe('2')
  expect(process.loads).toHaveLength(2)
})

it('reads the primary where the replica is behind a write that it must show', async () => {
  const process = holding('1')
  process.writeAndFollow('a', '2')
  process.replicaLag = 2
  expect(await process.rows.get('a')).toBe('2')
  expect(process.loads.map(({ source }) => source)).toEqual(['any', 'primary'])
})

it('takes from a replica that is behind what no write has touched since', async () => {
  const process = holding('1')
  process.writeAndFollow('b', '2')
  process.replicaLag = 2
  expect(await process.rows.get('a')).toBe('1')
  expect(await process.rows.get('a')).toBe('1')
  expect(process.loads.map(({ source }) => source)).toEqual(['any'])
})

it('asks the primary only for what the replica was too far behind to give', async () => {
  const process = holding('1')
  process.writeAndFollow('b', '2')
  process.replicaLag = 2
  expect(await process.rows.getMany(['a', 'b'])).toEqual(['1', '2'])
  expect(process.loads).toEqual([
    { keys: ['a', 'b'], source: 'any' },
    { keys: ['b'], source: 'primary' },
  ])
})

it('gives writes that a load saw their positions before anybody learns what it read', async () => {
  const process = holding('1')
  process.database.write('a', '2')
  const used: Entry[] = []
  expect(await process.rows.get('a', { onRead: (_, entry) => void used.push(entry) })).toBe('2')
  expect(process.ledger.seen).toBe(process.database.position)
  expect(process.settled).toBe(1)
  await process.rows.get('a')
  await process.rows.get('a')
  expect(process.settled).toBe(1)
})

it('loads again what may show a write without a position, asks nobody else meanwhile, and keeps what comes then', async () => {
  const remote = new TinyRemote()
  const process = holding('1', { remote })
  process.database.write('a', '2')
  expect(await Promise.all([process.rows.get('a'), process.rows.get('a')])).toEqual(['2', '2'])
  expect(process.loads).toHaveLength(2)
  expect([remote.reads, remote.stored.size, remote.leases.size]).toEqual([1, 1, 0])
  await process.rows.get('a')
  expect(process.loads).toHaveLength(2)
})

it('loads again only what was written, of all that a load has seen such writes beside', async () => {
  const process = holding('1')
  process.database.write('a', '2')
  await process.rows.getMany(['a', 'b', 'c'])
  expect(process.loads.map(({ keys }) => keys)).toEqual([['a', 'b', 'c'], ['a']])
})

it('answers what is written at every load after three of them, and does not keep it', async () => {
  const process = holding('1')
  const { load } = process
  process.load = (keys, source) => {
    process.database.write('a', `${process.loads.length + 2}`)
    return load.call(process, keys, source)
  }
  const used: Entry[] = []
  expect(await process.rows.get('a', { onRead: (_, entry) => void used.push(entry) })).toBe('4')
  expect(used.map(({ isOfNoMoment }) => isOfNoMoment)).toEqual([true])
  expect([...process.cache.entries()]).toEqual([])
  expect(process.ledger.seen).toBe(process.database.position)
})

it('leaves it to the load of another to read again what a write has overtaken', async () => {
  const process = holding('1')
  process.database.write('a', '2')
  const { begun, letOthersPass, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  letOthersPass()
  process.writeAndFollow('a', '3')
  const second = process.hold()
  const late = process.rows.get('a')
  await second.begun
  release()
  expect(await early).toBe('2')
  second.release()
  expect(await late).toBe('3')
  expect(process.loads).toHaveLength(2)
})

it('answers nothing that shows writes whose positions could not be had', async () => {
  const process = holding('1')
  process.database.write('a', '2')
  process.settle = async () => {
    throw new Error('primary lost')
  }
  await expect(process.rows.get('a')).rejects.toThrow('primary lost')
  expect([...process.cache.entries()]).toEqual([])
})

it('reads through to the primary without waiting for a load under way', async () => {
  const process = holding('1')
  const { begun, release } = process.hold()
  const slow = process.rows.get('a')
  await begun
  const through = process.rows.get('a', { bypass: true })
  await turn()
  expect(process.loads.map(({ source }) => source)).toEqual(['any', 'primary'])
  release()
  expect(await Promise.all([slow, through])).toEqual(['1', '1'])
})

it('lets nothing of an older history stand, in memory or in the remote tier', async () => {
  const remote = new TinyRemote()
  const process = holding('1', { remote })
  await process.rows.get('a')
  process.database.epoch = 'second'
  process.follow()
  await process.rows.get('a')
  expect(process.loads).toHaveLength(2)
})

it('keeps nothing that was being loaded when the history changed', async () => {
  const process = holding('1')
  const { begun, release } = process.hold()
  const early = process.rows.get('a')
  await begun
  process.database.epoch = 'second'
  process.follow()
  release()
  await early
  expect([...process.cache.entries()]).toEqual([])
})

it('looks at the log where the source holds less than was seen of it', async () => {
  const process = holding('1')
  process.writeAndFollow('a', '2')
  process.database.loseLast(2)
  process.database.epoch = 'second'
  expect(await process.rows.get('a')).toBe('1')
  expect(process.ledger.epoch).toBe('second')
})

it('gives up where the source never holds what was seen of the log', async () => {
  const process = holding('1')
  process.writeAndFollow('a', '2')
  process.database.loseLast(2)
  await expect(process.rows.get('a')).rejects.toThrow('"row" could not be loaded')
})

it('is content with a load that began after it was asked, however fast the log goes on', async () => {
  const process = holding('1')
  const rows = process.cache.kind<string, string>({
    name: 'busy',
    key: (key) => key,
    tags: (key) => [`rows:${key}`],
    load: async (keys, source) => {
      const snapshot = await process.load(keys, source)
      for (let write = 0; write < 3; write++) process.writeAndFollow('a', `${process.database.position}`)
      return snapshot
    },
    ttlMs: 1000,
  })
  const askers = Array.from({ length: 20 }, async (_, turn) => {
    for (let wait = 0; wait < turn; wait++) await undefined
    return rows.getMany(['a', `b${turn}`])
  })
  expect(await Promise.all(askers)).toHaveLength(20)
})

it('is content with one load of a new history too', async () => {
  const process = holding('1')
  const rows = process.cache.kind<string, string>({
    name: 'busy',
    key: (key) => key,
    tags: (key) => [`rows:${key}`],
    load: async (keys, source) => {
      if (process.loads.length === 0) process.database.epoch = 'second'
      const snapshot = await process.load(keys, source)
      process.writeAndFollow('a', '2')
      process.writeAndFollow('a', '2')
      return snapshot
    },
    ttlMs: 1000,
  })
  process.replicaLag = 1
  expect(await rows.get('a')).toBe('2')
})

it('never answers less than was known when it was asked, nor more than its token covers', async () => {
  const key = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), key }) },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('read' as const), key, process: fc.nat(1), bypass: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('sequence' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('follow' as const), process: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('lag' as const), process: fc.nat(1), commits: fc.nat(6) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 10, maxLength: 60 }), async (scheduler, steps) => {
      const database = new TinyDatabase<string>()
      const remote = new TinyRemote()
      const processes = [0, 1].map(() => new TinyProcess({ database, remote }))
      for (const process of processes) {
        const { load } = process
        process.load = async (keys, source) => {
          await scheduler.schedule(Promise.resolve(), 'sent')
          const snapshot = await load.call(process, keys, source)
          await scheduler.schedule(Promise.resolve(), 'received')
          return snapshot
        }
      }
      /** The write that each position stands for: rows hold the number of their write. */
      const sequenced: { key: string; number: number }[] = []
      const committed: { key: string; number: number }[] = []
      const reads: Promise<void>[] = []
      const learn = () => sequenced.push(...committed.slice(sequenced.length, database.position))
      let number = 0
      const read = async (process: TinyProcess, key: string, bypass: boolean) => {
        const { seen } = process.ledger
        learn()
        const least = Math.max(0, ...sequenced.slice(0, seen).map((write) => (write.key === key ? write.number : 0)))
        let asOf = 0
        const onRead = (_: string, entry: Entry) => {
          asOf = entry.asOf
        }
        const value = Number((await process.rows.get(key, { bypass, onRead })) ?? 0)
        learn()
        const token = Math.max(process.ledger.seen, asOf)
        expect(value).toBeGreaterThanOrEqual(least)
        if (value > 0) expect(sequenced.findIndex((write) => write.number === value)).toBeLessThan(token)
        if (value > 0) expect(sequenced.map((write) => write.number)).toContain(value)
      }
      for (const taken of steps) {
        if (taken.do === 'write') {
          number++
          committed.push({ key: taken.key, number })
          database.write(taken.key, `${number}`)
        }
        if (taken.do === 'sequence') database.sequence()
        if (taken.do === 'turn' && scheduler.count() > 0) await scheduler.waitOne()
        const process = 'process' in taken ? processes[taken.process] : undefined
        if (!process) continue
        if (taken.do === 'follow') process.follow()
        if (taken.do === 'lag') process.replicaLag = taken.commits
        if (taken.do === 'read') reads.push(read(process, taken.key, taken.bypass))
      }
      const all = Promise.all(reads)
      await scheduler.waitFor(all)
      await all
    }),
    { numRuns: 300 },
  )
})

/** Of the event loop: what is asked for in one is loaded at its end. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

function holding(value: string, options: TinyProcessOptions = {}): TinyProcess {
  const database = new TinyDatabase<string>()
  database.write('a', value)
  database.sequence()
  return new TinyProcess({ database, ...options })
}
