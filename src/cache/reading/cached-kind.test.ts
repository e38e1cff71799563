import { expect, it } from '@jest/globals'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import { TinyDatabase } from '../../../test/models/tiny-database.ts'
import { TinyProcess, type TinyProcessOptions } from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import type { Entry } from '../entry.ts'
import { softly } from '../ledger/cache-tag.ts'
import { encodeEntry } from '../remote/envelope.ts'

it('loads once, and then answers from memory', async () => {
  const process = holding({ a: '1' })
  expect(await process.rows.get('a')).toBe('1')
  expect(await process.rows.get('a')).toBe('1')
  expect(process.loads).toHaveLength(1)
})

it('loads all that is missing at once, each key once, and answers in the order it was asked', async () => {
  const process = holding({ a: '1', b: '2', c: '3' })
  await process.rows.get('b')
  expect(await process.rows.getMany(['c', 'b', 'a', 'c', 'x'])).toEqual(['3', '2', '1', '3', undefined])
  expect(process.loads.slice(1)).toEqual([{ keys: ['c', 'a', 'x'], source: 'any' }])
})

it('answers nothing where it is asked for nothing', async () => {
  const process = holding({})
  expect(await process.rows.getMany([])).toEqual([])
  expect(process.loads).toEqual([])
})

it('loads again what a write has felled, and only that', async () => {
  const process = holding({ a: '1', b: '1' })
  await process.rows.getMany(['a', 'b'])
  process.writeAndFollow('a', '2')
  expect(await process.rows.getMany(['a', 'b'])).toEqual(['2', '1'])
  expect(process.loads.slice(1)).toEqual([{ keys: ['a'], source: 'any' }])
})

it('falls with its whole table', async () => {
  const process = holding({ a: '1' })
  await process.rows.get('a')
  process.writeAndFollow('a', '2', ['rows'])
  expect(await process.rows.get('a')).toBe('2')
})

it('remembers what does not exist, until it is created', async () => {
  const process = holding({})
  expect(await process.rows.get('a')).toBeUndefined()
  expect(await process.rows.get('a')).toBeUndefined()
  expect(process.loads).toHaveLength(1)
  process.writeAndFollow('a', '1')
  expect(await process.rows.get('a')).toBe('1')
  process.writeAndFollow('a', undefined)
  expect(await process.rows.get('a')).toBeUndefined()
})

it('loads again what is past its time to live, and earlier what does not exist', async () => {
  const process = holding({ a: '1' }, { kind: { ttlMs: 1000, negativeTtlMs: 300 } })
  await process.rows.getMany(['a', 'x'])
  process.clock.advance(299)
  await process.rows.getMany(['a', 'x'])
  expect(process.loads).toHaveLength(1)
  process.clock.advance(1)
  await process.rows.getMany(['a', 'x'])
  process.clock.advance(700)
  await process.rows.get('a')
  expect(process.loads.slice(1)).toEqual([
    { keys: ['x'], source: 'any' },
    { keys: ['a'], source: 'any' },
  ])
})

it('shortens lives at random, so that what was stored together does not expire together', async () => {
  const random = [0, 0.5]
  const process = holding({ a: '1', b: '1' }, { random: () => random.shift() ?? 0, kind: { ttlMs: 1000, jitter: 0.2 } })
  await process.rows.getMany(['a', 'b'])
  process.clock.advance(900)
  await process.rows.getMany(['a', 'b'])
  expect(process.loads.slice(1)).toEqual([{ keys: ['b'], source: 'any' }])
})

it('finds in the remote tier what another process stored, with a life as long', async () => {
  const remote = new TinyRemote()
  const [one, other] = pair({ remote, kind: { ttlMs: 1000 } })
  await one.rows.get('a')
  expect(await other.rows.get('a')).toBe('1')
  expect(await other.rows.get('a')).toBe('1')
  expect(other.loads).toEqual([])
  expect(remote.reads).toBe(2)
  other.clock.advance(1000)
  await other.rows.get('a')
  expect(other.loads).toHaveLength(1)
})

it('asks the remote tier once for a whole batch, and tells it when to let go of what it stores', async () => {
  const remote = new TinyRemote()
  const process = holding({ a: '1' }, { remote, kind: { ttlMs: 1000, negativeTtlMs: 10 } })
  await process.rows.getMany(['a', 'x'])
  expect(remote.reads).toBe(1)
  const lives = [...remote.stored].map(([key, { ttlMs }]) => [key.slice(key.lastIndexOf(':')), ttlMs])
  expect(Object.fromEntries(lives)).toEqual({ ':a': 1000, ':x': 10 })
})

it('does not take from the remote tier what a write has felled since', async () => {
  const remote = new TinyRemote()
  const [one, other] = pair({ remote })
  await one.rows.get('a')
  other.writeAndFollow('a', '2')
  expect(await other.rows.get('a')).toBe('2')
})

it('looks at the log before it takes an entry as of a position that is news to it', async () => {
  const remote = new TinyRemote()
  const [one, other] = pair({ remote })
  one.writeAndFollow('a', '2')
  await one.rows.get('a')
  expect(await other.rows.get('a')).toBe('2')
  expect(other.settled).toBe(1)
  expect(other.loads).toEqual([])
  expect(other.ledger.seen).toBe(one.ledger.seen)
})

it('loads over an entry as of a position that the log has not reached, and says so', async () => {
  const remote = new TinyRemote()
  const seen: string[] = []
  const observer = { onRequest: (_: string, tier: string, result: string) => void seen.push(`${tier} ${result}`) }
  const process = holding({ a: '1' }, { remote, observer })
  await process.rows.get('a')
  const [entry] = [...process.cache.entries()]
  process.cache.clearMemory()
  seen.length = 0
  if (entry) remote.write(entry.key, encodeEntry({ ...entry, value: 'forged', asOf: 900 }), 1000)
  expect(await process.rows.get('a')).toBe('1')
  expect(seen).toEqual(['memory miss', 'redis future'])
  process.cache.clearMemory()
  expect(await process.rows.get('a')).toBe('1')
  expect(process.loads).toHaveLength(2)
})

it('loads what it can not tell to be of the future, because the log can not be read', async () => {
  const remote = new TinyRemote()
  const [one, other] = pair({ remote })
  one.writeAndFollow('a', '2')
  await one.rows.get('a')
  other.settle = async () => {
    throw new Error('down')
  }
  expect(await other.rows.get('a')).toBe('2')
  expect(other.loads).toHaveLength(1)
})

it('loads what the remote tier holds in pieces, and says so', async () => {
  const remote = new TinyRemote()
  const seen: string[] = []
  const observer = { onRequest: (_: string, tier: string, result: string) => void seen.push(`${tier} ${result}`) }
  const process = holding({ a: '1' }, { remote, observer })
  await process.rows.get('a')
  const [key = ''] = remote.stored.keys()
  remote.write(key, Buffer.from('nonsense'), 1000)
  process.cache.clearMemory()
  seen.length = 0
  expect(await process.rows.get('a')).toBe('1')
  expect(seen).toEqual(['memory miss', 'redis corrupt'])
})

it('loads from the source where the remote tier fails, and says so', async () => {
  const remote = new TinyRemote()
  const errors: Error[] = []
  const process = holding({ a: '1' }, { remote, observer: { onRemoteError: (error) => void errors.push(error) } })
  remote.failure = new Error('down')
  expect(await process.rows.get('a')).toBe('1')
  expect(errors).toEqual([remote.failure])
})

it('does not read what older code wrote, nor what is under another namespace', async () => {
  const remote = new TinyRemote()
  const database = new TinyDatabase<string>()
  database.write('a', '1')
  for (const options of [{}, { kind: { madeOf: ['another column'] } }, { namespace: 'other:' }]) {
    const process = new TinyProcess({ remote, database, ...options })
    await process.settle()
    await process.rows.get('a')
    expect(process.loads).toHaveLength(1)
  }
})

it('tells its reader of every entry it used, once, and where it came from', async () => {
  const process = holding({ a: '1', b: '2' })
  await process.rows.get('a')
  const read: string[] = []
  const onRead = (kind: string, { value }: Entry, origin: string) => void read.push(`${kind} ${value} ${origin}`)
  await process.rows.getMany(['a', 'b', 'a'], { onRead })
  expect(read.sort()).toEqual(['row 1 memory', 'row 2 source'])
})

it('reads through to the primary where its reader wants that, and keeps what it read', async () => {
  const remote = new TinyRemote()
  const process = holding({ a: '1' }, { remote })
  await process.rows.get('a')
  process.database.write('a', '2')
  const reads = remote.reads
  expect(await process.rows.get('a')).toBe('1')
  expect(await process.rows.get('a', { bypass: true })).toBe('2')
  expect(process.loads.at(-1)?.source).toBe('primary')
  expect(remote.reads).toBe(reads)
  await process.rows.get('a', { bypass: true })
  const loads = process.loads.length
  expect(await process.rows.get('a')).toBe('2')
  expect(process.loads).toHaveLength(loads)
})

const untouched = () => {}

it.each<[string, boolean, (process: TinyProcess) => void]>([
  ['is there already', false, untouched],
  ['was written, and is the same', true, (process) => process.writeAndFollow('a', '1')],
  ['was written, and is another', true, (process) => process.writeAndFollow('a', '2')],
  ['was softened, and is the same', true, (process) => process.writeAndFollow('a', '1', [softly('rows:a')])],
  ['is past its time', true, ({ clock }) => clock.advance(60_000)],
  ['memory holds no longer', true, ({ cache }) => cache.clearMemory()],
])('stores what was read through only if need be: what %s, %s', async (_, isStored, change) => {
  const remote = new TinyRemote()
  const process = holding({ a: '1' }, { remote })
  await process.rows.get('a')
  process.clock.advance(1000)
  change(process)
  remote.stored.clear()
  const value = await process.rows.get('a', { bypass: true })
  expect(remote.stored.size).toBe(isStored ? 1 : 0)
  expect(process.rows.getIfPresent('a')?.value).toBe(value)
})

it('stores what was read through if it depends on something else than before', async () => {
  let tag = 'rows:a'
  const process = holding({ a: '1' }, { kind: { tags: () => [tag] } })
  await process.rows.get('a')
  tag = 'rows:b'
  await process.rows.get('a', { bypass: true })
  process.writeAndFollow('b', '2')
  expect(process.rows.getIfPresent('a')).toBeUndefined()
})

it('shows for inspection what stands, and forgets it when told to', async () => {
  const process = holding({ a: '1', b: '2', c: '3' }, { kind: { tags: (key: string) => [`rows:${key}`] } })
  await process.rows.getMany(['a', 'b'])
  process.writeAndFollow('a', '2')
  expect([...process.cache.entries()].map(({ value }) => value)).toEqual(['2'])
  expect(process.cache.memoryBytes).toBeGreaterThan(0)
  process.clock.advance(60_000)
  expect([...process.cache.entries()]).toEqual([])
  process.cache.clearMemory()
  expect(process.cache.memoryBytes).toBe(0)
})

function holding(rows: Readonly<Record<string, string>>, options: TinyProcessOptions = {}): TinyProcess {
  const database = new TinyDatabase<string>()
  for (const [key, value] of Object.entries(rows)) database.write(key, value)
  database.sequence()
  return new TinyProcess({ database, ...options })
}

/** Two processes in front of one database that holds `a`. */
function pair(options: TinyProcessOptions): [TinyProcess, TinyProcess] {
  const database = new TinyDatabase<string>()
  database.write('a', '1')
  database.sequence()
  const shared = { database, clock: new ManualClock(), ...options }
  return [new TinyProcess(shared), new TinyProcess(shared)]
}
