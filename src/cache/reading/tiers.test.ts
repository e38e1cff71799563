import { expect, it } from '@jest/globals'
import {
  processesHolding,
  processHolding,
  TinyProcess,
  type TinyProcessOptions,
} from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { decodeEntry } from '../remote/envelope.ts'

it('never asks the remote tier for what is kept in memory only', async () => {
  const remote = new TinyRemote()
  const process = processHolding({ a: '1' }, { remote, kind: { tiers: 'memory' } })
  await process.rows.get('a')
  await process.rows.get('a')
  expect([remote.reads, remote.stored.size, remote.leases.size]).toEqual([0, 0, 0])
  expect(process.loads).toHaveLength(1)
})

it('keeps nothing in memory of what is kept in the remote tier only', async () => {
  const remote = new TinyRemote()
  const [one, other] = processesHolding(2, { a: '1' }, { remote, kind: { tiers: 'redis' } }) as [
    TinyProcess,
    TinyProcess,
  ]
  for (const process of [one, other, other]) expect(await process.rows.get('a')).toBe('1')
  expect([one.cache.memoryBytes, other.cache.memoryBytes]).toEqual([0, 0])
  expect([one.loads.length, other.loads.length]).toEqual([1, 0])
  one.writeAndFollow('a', '2')
  other.follow()
  expect(await other.rows.get('a')).toBe('2')
})

it('serves what is larger than its policy allows, counts it, and stores it nowhere', async () => {
  const oversized: string[] = []
  const remote = new TinyRemote()
  const process = processHolding(
    { small: '1', large: 'x'.repeat(1000) },
    { remote, kind: { maxBytes: 800 }, observer: { onOversized: (kind) => void oversized.push(kind) } },
  )
  expect(await process.rows.getMany(['small', 'large'])).toEqual(['1', 'x'.repeat(1000)])
  expect(oversized).toEqual(['row'])
  expect([...process.cache.entries()].map(({ value }) => value)).toEqual(['1'])
  expect(remote.stored.size).toBe(1)
  await process.rows.get('large')
  expect(process.loads.map(({ keys }) => keys)).toEqual([['small', 'large'], ['large']])
})

it('compresses what is longer than its policy says, and nothing else', async () => {
  const value = 'again and '.repeat(200)
  const stored = async (compressAboveBytes: number) => {
    const remote = new TinyRemote()
    await processHolding({ a: value }, { remote, kind: { compressAboveBytes } }).rows.get('a')
    const [[key, { bytes }] = ['', { bytes: Buffer.alloc(0) }]] = remote.stored
    expect(decodeEntry(key, bytes)?.value).toBe(value)
    return bytes.length
  }
  expect(await stored(10_000)).toBeGreaterThan(2000)
  expect(await stored(1000)).toBeLessThan(500)
})

it('keeps entries in the remote tier for their grace as well', async () => {
  const remote = new TinyRemote()
  const grace = { staleWhileRevalidateMs: 500, staleIfErrorMs: 5000 }
  const process = processHolding({ a: '1' }, { remote, kind: { ttlMs: 1000, jitter: 0, grace } })
  await process.rows.get('a')
  expect([...remote.stored.values()].map(({ ttlMs }) => ttlMs)).toEqual([6000])
})

for (const [what, changed] of [
  ['tags', { tags: (key: string) => [`rows:${key}`, 'rows:any'] }],
  ['key', { key: (key: string) => key.trim() }],
  ['what it is made of', { madeOf: ['select id'] }],
  ['scope', { scope: 'viewer' }],
] as const) {
  it(`reads nothing of what was stored by another definition of its ${what}, while other kinds stay warm`, async () => {
    const remote = new TinyRemote()
    const before = processHolding({ a: '1' }, { remote })
    const { database, clock } = before
    await Promise.all([before.rows.get('a'), others(before).get('a')])
    const after = new TinyProcess({ remote, database, clock, kind: changed as TinyProcessOptions['kind'] })
    await Promise.all([after.rows.get('a', { viewer: 'me' }), others(after).get('a')])
    expect(after.loads).toHaveLength(1)
  })
}

it('reads what was stored under another policy', async () => {
  const remote = new TinyRemote()
  const before = processHolding({ a: '1' }, { remote })
  await before.rows.get('a')
  const { database, clock } = before
  const after = new TinyProcess({ remote, database, clock, kind: { ttlMs: 1000, leaseMs: 0, maxBatch: 5 } })
  expect(await after.rows.get('a')).toBe('1')
  expect(after.loads).toEqual([])
})

/** A kind that is the same in every process. */
function others(process: TinyProcess) {
  return process.cache.kind<string, string>({
    name: 'other',
    key: (key) => key,
    tags: () => [],
    load: (keys, source) => process.load(keys, source),
    ttlMs: 1000,
  })
}
