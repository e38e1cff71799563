import { expect, it } from '@jest/globals'
import { TinyDatabase } from '../../test/models/tiny-database.ts'
import { TinyProcess, type TinyProcessOptions } from '../../test/models/tiny-process.ts'
import { TinyRemote } from '../../test/models/tiny-remote.ts'
import { Keyring } from '../redis/index.ts'
import { encodeEntry } from './remote/envelope.ts'

/** The source loses the end of its log while no process lives that has seen it, and its epoch is the same as before. */
const SECRET = 'a secret of the tests, of 32 bytes'

for (const [what, records] of [
  ['is shorter than it was', 0],
  ['is as long as it was', 1],
  ['has grown past where it was', 5],
] as const) {
  it(`serves nothing of a lost past, if the log ${what}`, async () => {
    const world = await lose({}, records)
    const { process, refused } = world.start()
    expect(await process.rows.get('a')).toBe('kept')
    expect(refused).toEqual([records === 0 ? 'future' : 'lost'])
    // What it loaded has taken the place of that.
    const { process: next } = world.start()
    expect(await next.rows.get('a')).toBe('kept')
    expect(next.loads).toEqual([])
  })
}

it('serves what was read before the log lost its end, and not written since', async () => {
  const world = await lose({}, 5)
  const { process } = world.start()
  expect(await process.rows.get('b')).toBe('kept')
  expect(process.loads).toEqual([])
})

it('begins another epoch, once, if what proves the loss is signed', async () => {
  const world = await lose({ secrets: [SECRET] }, 5)
  const { process, begun, refused } = world.start()
  await Promise.all([process.rows.get('a'), process.rows.get('c')])
  expect(refused).toContain('lost')
  expect(begun).toEqual([['first', expect.stringContaining('is as of 4')]])
  expect(process.ledger.epoch).toBe('second')
})

it('begins none if anybody may have written that', async () => {
  const { process, begun } = (await lose({}, 5)).start()
  await process.rows.get('a')
  expect(begun).toEqual([])
})

it('begins none for an entry that is forged, or of another epoch', async () => {
  const world = await lose({ secrets: [SECRET] }, 5)
  const id = world.start().process.rows.idOf('a')
  const entry = {
    key: id,
    epoch: 'first',
    asOf: 1000,
    tags: [],
    value: 'forged',
    storedAtMs: 0,
    staleAtMs: 1e15,
    loadMs: 1,
  }
  const other = new Keyring(['another secret of at least 32 bytes'], 'cached value')
  const own = new Keyring([SECRET], 'cached value')
  for (const bytes of [
    encodeEntry(entry),
    encodeEntry(entry, { keyring: other }),
    encodeEntry({ ...entry, epoch: 'before' }, { keyring: own }),
  ]) {
    world.remote.stored.set(id, { bytes, ttlMs: 1000 })
    const { process, begun } = world.start()
    expect(await process.rows.get('a')).toBe('kept')
    expect(begun).toEqual([])
  }
})

it('serves what it can read itself, if no epoch can be begun', async () => {
  const world = await lose({ secrets: [SECRET] }, 5)
  const { process } = world.start({ startEpoch: () => Promise.reject(new Error('database down')) })
  expect(await process.rows.get('a')).toBe('kept')
})

it('shares what it read as of a position that it had not heard of, once it has', async () => {
  const remote = new TinyRemote()
  const database = new TinyDatabase<string>()
  const process = new TinyProcess({ database, remote })
  database.write('a', '1')
  database.sequence()
  await process.rows.get('a')
  await process.cache.flush()
  const other = new TinyProcess({ database, remote })
  expect(await other.rows.get('a')).toBe('1')
  expect(other.loads).toEqual([])
})

/** One process reads rows of which the source then loses the last write. Afterwards it goes on by so many records, of other rows. */
async function lose(options: TinyProcessOptions, records: number) {
  const remote = new TinyRemote()
  const database = new TinyDatabase<string>()
  for (const key of ['a', 'b', 'c']) database.write(key, 'kept')
  database.sequence()
  const before = new TinyProcess({ ...options, database, remote })
  await before.rows.get('b')
  database.write('a', 'lost')
  database.sequence()
  before.follow()
  await before.rows.getMany(['a', 'c'])
  database.loseLast(2)
  for (let record = 0; record < records; record++) {
    database.write('d', String(record))
    database.sequence()
  }
  return {
    remote,
    start(more: TinyProcessOptions = {}) {
      const refused: string[] = []
      const begun: unknown[] = []
      const process: TinyProcess = new TinyProcess({
        ...options,
        database,
        remote,
        observer: {
          onRequest: (_, tier, result) => void (tier === 'redis' && result !== 'hit' && refused.push(result)),
        },
        startEpoch: async (epoch, why) => {
          if (epoch !== database.epoch) return
          begun.push([epoch, why])
          database.epoch = 'second'
          process.follow()
        },
        ...more,
      })
      return { process, refused, begun }
    },
  }
}
