import { expect, it } from '@jest/globals'
import {
  processesHolding,
  processHolding,
  quiet,
  type TinyProcess,
  type TinyProcessOptions,
} from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { softly } from '../ledger/cache-tag.ts'
import { Ledger } from '../ledger/ledger.ts'

it('answers the next read with what the write returned, in every process', async () => {
  const remote = new TinyRemote()
  const [one, other] = pair({ remote })
  expect(writeThrough(one, '2')).toBe(true)
  other.follow()
  expect(await one.rows.get('a')).toBe('2')
  expect(await other.rows.get('a')).toBe('2')
  expect([...one.loads, ...other.loads]).toEqual([])
})

it('replaces what was cached before', async () => {
  const process = holding()
  await process.rows.get('a')
  writeThrough(process, '2')
  expect(await process.rows.get('a')).toBe('2')
  expect(process.loads).toHaveLength(1)
})

it('remembers that a deleted row does not exist, for the shorter time', async () => {
  const process = holding({ kind: { ttlMs: 1000, negativeTtlMs: 100 } })
  writeThrough(process, undefined)
  expect(await process.rows.get('a')).toBeUndefined()
  expect(process.loads).toHaveLength(0)
  process.clock.advance(100)
  await process.rows.get('a')
  expect(process.loads).toHaveLength(1)
})

it('falls with the next write', async () => {
  const process = holding()
  writeThrough(process, '2')
  process.writeAndFollow('a', '3')
  expect(await process.rows.get('a')).toBe('3')
})

it('falls with a later write that is heard of afterwards', async () => {
  const process = holding()
  const began = process.ledger.place
  process.database.write('a', '2')
  process.database.sequence()
  process.follow()
  process.database.write('a', '3')
  process.database.sequence()
  expect(process.rows.writeThrough('a', '2', began)).toBe(true)
  process.follow()
  expect(await process.rows.get('a')).toBe('3')
})

it('stores nothing where another write of the row came between', async () => {
  for (const values of [
    ['2', '3'],
    ['3', '2'],
  ]) {
    const process = holding()
    const began = process.ledger.place
    for (const value of values) process.writeAndFollow('a', value)
    expect(process.rows.writeThrough('a', '2', began)).toBe(false)
    expect(await process.rows.get('a')).toBe(values[1])
  }
})

it('counts a purge of the row, of its table or of its entry, and a soft write, as a write between', () => {
  const purges = ['rows', softly('rows:a'), (process: TinyProcess) => process.rows.keyOf('a')]
  for (const purge of purges) {
    const process = holding()
    const began = process.ledger.place
    process.writeAndFollow('a', '2')
    process.writeAndFollow('b', '1', [typeof purge === 'string' ? purge : purge(process)])
    expect(process.rows.writeThrough('a', '2', began)).toBe(false)
  }
})

it('does not count writes of other rows', () => {
  const process = holding()
  const began = process.ledger.place
  process.writeAndFollow('b', '1')
  process.writeAndFollow('a', '2')
  process.writeAndFollow('c', '1')
  expect(process.rows.writeThrough('a', '2', began)).toBe(true)
})

it('stores nothing for a write that the ledger has not heard of', async () => {
  const process = holding()
  const began = process.ledger.place
  process.database.write('a', '2')
  expect(process.rows.writeThrough('a', '2', began)).toBe(false)
})

it('stores nothing where the log of that time is forgotten', () => {
  const process = holding()
  const began = process.ledger.place
  for (let write = 0; write < 2001; write++) process.writeAndFollow('b', `${write}`)
  process.writeAndFollow('a', '2')
  expect(process.rows.writeThrough('a', '2', began)).toBe(false)
})

it('stores nothing where the ledger has begun anew', () => {
  const ledger = new Ledger()
  ledger.restart('first', 5)
  const began = ledger.place
  ledger.restart('first', 6)
  expect(ledger.recordsSince(began, ['rows:a'])).toBeUndefined()
})

it('stores nothing across two histories of the log', () => {
  const process = holding()
  const began = process.ledger.place
  process.database.epoch = 'second'
  process.writeAndFollow('a', '2')
  expect(process.rows.writeThrough('a', '2', began)).toBe(false)
})

it('is not overwritten by a slow fill with what was there before', async () => {
  const remote = new TinyRemote()
  const process = holding({ remote })
  const { begun, release } = process.hold()
  const slow = process.rows.get('a')
  await begun
  writeThrough(process, '2')
  release()
  expect(await slow).toBe('1')
  expect(await process.rows.get('a')).toBe('2')
  process.cache.clearMemory()
  expect(await process.rows.get('a')).toBe('2')
  expect(process.loads).toHaveLength(1)
})

it('does not overwrite what a fill has read since, of a write that came later', async () => {
  const process = holding()
  const began = process.ledger.place
  process.writeAndFollow('a', '2')
  process.database.write('a', '3')
  await process.rows.get('a')
  expect(process.rows.writeThrough('a', '2', began)).toBe(false)
  expect(await process.rows.get('a')).toBe('3')
})

it('serves stale what it stored, like any other entry', async () => {
  const process = holding({ kind: { ttlMs: 1000, jitter: 0, grace: { staleWhileRevalidateMs: 500 } } })
  writeThrough(process, '2')
  process.clock.advance(1000)
  expect(await process.rows.get('a')).toBe('2')
  await quiet()
  expect(process.loads).toHaveLength(1)
})

function holding(options: TinyProcessOptions = {}): TinyProcess {
  return processHolding({ a: '1' }, { ...options, kind: { ...options.kind, writeThrough: true } })
}

function pair(options: TinyProcessOptions): [TinyProcess, TinyProcess] {
  return processesHolding(2, { a: '1' }, { ...options, kind: { writeThrough: true } }) as [TinyProcess, TinyProcess]
}

/** Writes row `a`, and stores what that returned. */
function writeThrough(process: TinyProcess, value: string | undefined): boolean {
  const began = process.ledger.place
  process.writeAndFollow('a', value)
  return process.rows.writeThrough('a', value, began)
}
