import { expect, it } from '@jest/globals'
import { processesHolding, processHolding, quiet, type TinyProcess } from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { softly } from '../ledger/cache-tag.ts'
import type { Reader } from '../reader.ts'
import { LoadTimeoutError } from './flight.ts'

const GRACE = { staleWhileRevalidateMs: 500, staleIfErrorMs: 5000 }
const DOWN = new Error('database down')

it('serves what is past its time to live at once, while one refresh runs, and then the new value', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  changeUntold(process, '2')
  process.clock.advance(1000)
  const { begun, release } = process.hold()
  expect(await Promise.all([process.rows.get('a'), process.rows.get('a')])).toEqual(['1', '1'])
  await begun
  expect(await process.rows.get('a')).toBe('1')
  release()
  await quiet()
  expect(await process.rows.get('a')).toBe('2')
  expect(process.loads).toHaveLength(2)
})

it('waits for the load where the grace is over, or there is none', async () => {
  for (const [grace, overdueMs] of [
    [{ staleWhileRevalidateMs: 500 }, 500],
    [{}, 0],
  ] as const) {
    const process = await warm({ ttlMs: 1000, grace })
    changeUntold(process, '2')
    process.clock.advance(1000 + overdueMs)
    expect(await process.rows.get('a')).toBe('2')
  }
})

it('serves nothing that a write has felled, however much grace there is', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  process.clock.advance(1100)
  const { begun, letOthersPass, release } = process.hold()
  expect(await process.rows.get('a')).toBe('1')
  await begun
  letOthersPass()
  process.writeAndFollow('a', '2')
  expect(await process.rows.get('a')).toBe('2')
  release()
  await quiet()
  expect(await process.rows.get('a')).toBe('2')
})

it('serves nothing that a write has felled where the load fails either', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  process.writeAndFollow('a', '2')
  process.failure = DOWN
  await expect(process.rows.get('a')).rejects.toBe(DOWN)
  process.clock.advance(1100)
  await expect(process.rows.get('a')).rejects.toBe(DOWN)
})

it('does not serve what fell while its load was failing', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  process.clock.advance(2000)
  process.failure = DOWN
  const { begun, release } = process.hold()
  const read = process.rows.get('a')
  await begun
  process.writeAndFollow('a', '2')
  release()
  await expect(read).rejects.toBe(DOWN)
})

it('serves what is stale where its load fails, from the end of the one grace to the end of the other', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  process.failure = DOWN
  process.clock.advance(1500)
  expect(await whyStale(process)).toEqual(['1', 'error'])
  expect(process.loads).toHaveLength(2)
  process.clock.advance(4499)
  expect(await whyStale(process)).toEqual(['1', 'error'])
  process.clock.advance(1)
  await expect(process.rows.get('a')).rejects.toBe(DOWN)
})

it('prefers the new value to one that only an error would excuse', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  changeUntold(process, '2')
  process.clock.advance(1500)
  expect(await whyStale(process)).toEqual(['2', undefined])
})

for (const [when, overdueMs] of [
  ['within the time that is served while it refreshes', 0],
  ['after it', 600],
] as const) {
  it(`rests after a failed load, and loads once when it has rested, ${when}`, async () => {
    const errors: Error[] = []
    const observer = { onRefreshError: (_: string, error: Error) => void errors.push(error) }
    const grace = { staleWhileRevalidateMs: 600, staleIfErrorMs: 50_000 }
    const process = await warm({ ttlMs: 1000, grace }, { observer })
    process.failure = DOWN
    process.clock.advance(1000 + overdueMs)
    for (let read = 0; read < 50; read++) {
      expect(await process.rows.get('a')).toBe('1')
      await quiet()
    }
    expect(process.loads).toHaveLength(2)
    process.clock.advance(1000)
    await Promise.all(Array.from({ length: 50 }, () => process.rows.get('a')))
    expect(process.loads).toHaveLength(3)
    expect(errors).toEqual(overdueMs === 0 ? [DOWN] : [])
  })
}

it('loads again after a rest, when the source is back', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE })
  changeUntold(process, '2')
  process.failure = DOWN
  process.clock.advance(1600)
  await process.rows.get('a')
  process.failure = undefined
  expect(await process.rows.get('a')).toBe('1')
  process.clock.advance(1000)
  expect(await process.rows.get('a')).toBe('2')
})

it('answers stale when the soft time-out is over; the load goes on, and fills', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE, loadTimeout: { softMs: 50 } })
  changeUntold(process, '2')
  process.clock.advance(1600)
  const { begun, release } = process.hold()
  const read = whyStale(process)
  await begun
  process.clock.advance(50)
  expect(await read).toEqual(['1', 'slow'])
  release()
  await quiet()
  expect(await whyStale(process)).toEqual(['2', undefined])
  expect(process.loads).toHaveLength(2)
})

it('waits on after the soft time-out where nothing stale may be answered', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE, loadTimeout: { softMs: 50 } })
  process.writeAndFollow('a', '2')
  const { begun, release } = process.hold()
  const read = process.rows.get('a')
  await begun
  process.clock.advance(50)
  release()
  expect(await read).toBe('2')
})

for (const loadTimeout of [{ hardMs: 100 }, { softMs: 50, hardMs: 100 }]) {
  it(`gives up when the hard time-out is over, and another asker tries again, with ${JSON.stringify(loadTimeout)}`, async () => {
    const process = processHolding({ a: '1' }, { kind: { grace: GRACE, loadTimeout } })
    const { begun, letOthersPass } = process.hold()
    const reads = Promise.allSettled([process.rows.get('a'), process.rows.getMany(['a', 'b'])])
    await begun
    process.clock.advance(100)
    for (const read of await reads) expect(read).toMatchObject({ reason: expect.any(LoadTimeoutError) })
    letOthersPass()
    expect(await process.rows.get('a')).toBe('1')
  })
}

it('answers stale when the hard time-out is over, where an error would excuse it, and rests', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE, loadTimeout: { hardMs: 100 } })
  process.clock.advance(1600)
  const { begun } = process.hold()
  const read = whyStale(process)
  await begun
  process.clock.advance(100)
  expect(await read).toEqual(['1', 'slow'])
  expect(await whyStale(process)).toEqual(['1', 'error'])
  expect(process.loads).toHaveLength(2)
})

it('gives up a load that hangs for a reader that reads through, too', async () => {
  const process = processHolding({ a: '1' }, { kind: { loadTimeout: { hardMs: 100 } } })
  const { begun } = process.hold()
  const read = process.rows.get('a', { bypass: true })
  await begun
  process.clock.advance(100)
  await expect(read).rejects.toThrow(LoadTimeoutError)
})

it('leaves nothing behind of a load that hangs for good', async () => {
  const remote = new TinyRemote()
  const process = processHolding({ a: '1' }, { remote, kind: { loadTimeout: { hardMs: 100 } } })
  const { begun } = process.hold()
  const read = process.rows.get('a')
  await begun
  process.clock.advance(100)
  await expect(read).rejects.toThrow(LoadTimeoutError)
  await quiet()
  expect(process.rows.loading).toBe(0)
  expect(process.clock.waiting).toBe(0)
  expect(remote.leases.size).toBe(0)
})

it('keeps what a load brings after the hard time-out', async () => {
  const process = processHolding({ a: '1' }, { kind: { loadTimeout: { hardMs: 100 } } })
  const { begun, release } = process.hold()
  const read = process.rows.get('a')
  await begun
  process.clock.advance(100)
  await expect(read).rejects.toThrow(LoadTimeoutError)
  release()
  await quiet()
  expect(await process.rows.get('a')).toBe('1')
  expect(process.loads).toHaveLength(1)
})

it('tries a refresh again that hangs, and says so', async () => {
  const errors: string[] = []
  const observer = { onRefreshError: (_: string, error: Error) => void errors.push(error.name) }
  const grace = { staleWhileRevalidateMs: 50_000 }
  const process = await warm({ ttlMs: 1000, grace, loadTimeout: { hardMs: 100 } }, { observer })
  changeUntold(process, '2')
  process.clock.advance(1000)
  const { begun, letOthersPass } = process.hold()
  await process.rows.get('a')
  await begun
  letOthersPass()
  process.clock.advance(100)
  await quiet()
  expect(errors).toHaveLength(1)
  process.clock.advance(1000)
  await process.rows.get('a')
  await quiet()
  expect(await process.rows.get('a')).toBe('2')
})

it('gives a reader that comes late to a slow load as long as any other', async () => {
  const process = processHolding({ a: '1' }, { kind: { loadTimeout: { hardMs: 100 } } })
  const { begun, letOthersPass } = process.hold()
  const early = process.rows.get('a')
  await begun
  letOthersPass()
  process.clock.advance(99)
  const late = process.rows.get('a')
  process.clock.advance(1)
  await expect(early).rejects.toThrow(LoadTimeoutError)
  expect(await late).toBe('1')
})

it('serves what was softened once more, while it is refreshed', async () => {
  const process = await warm({ grace: GRACE })
  soften(process, '2')
  expect(await whyStale(process)).toEqual(['1', 'softened'])
  await quiet()
  expect(await whyStale(process)).toEqual(['2', undefined])
  expect(process.loads).toHaveLength(2)
})

it('does not serve what was softened to a reader that wants it fresh', async () => {
  const process = await warm({ grace: GRACE })
  soften(process, '2')
  expect(await whyStale(process, { fresh: true })).toEqual(['2', undefined])
})

it('does not serve what was softened to a reader that knows of it', async () => {
  const process = await warm({ grace: GRACE })
  const before = process.ledger.seen
  soften(process, '2')
  process.hold()
  expect(await whyStale(process, { position: before })).toEqual(['1', 'softened'])
  const knowing = await warm({ grace: GRACE })
  soften(knowing, '2')
  expect(await whyStale(knowing, { position: knowing.ledger.seen })).toEqual(['2', undefined])
})

it('does not serve what was softened to a reader that knows of it, though it was softened once more since', async () => {
  const process = await warm({ grace: GRACE })
  soften(process, '2')
  const known = process.ledger.seen
  soften(process, '3')
  expect(await whyStale(process, { position: known })).toEqual(['3', undefined])
})

it('does not serve what was softened where there is no grace', async () => {
  const process = await warm({})
  soften(process, '2')
  expect(await process.rows.get('a')).toBe('2')
})

it('does not serve what was softened to a reader that knows of it where the load fails either', async () => {
  const process = await warm({ grace: GRACE })
  soften(process, '2')
  process.failure = DOWN
  await expect(process.rows.get('a', { fresh: true })).rejects.toBe(DOWN)
  await expect(process.rows.get('a', { position: process.ledger.seen })).rejects.toBe(DOWN)
  expect(await process.rows.get('a')).toBe('1')
})

it('softens what a write that came later does not touch, and forgets that where a hard one fells it', async () => {
  const process = await warm({ grace: GRACE })
  soften(process, '2')
  process.writeAndFollow('b', '1')
  process.hold()
  expect(await whyStale(process)).toEqual(['1', 'softened'])
  const felled = await warm({ grace: GRACE })
  soften(felled, '2')
  felled.writeAndFollow('a', '3')
  expect(await whyStale(felled)).toEqual(['3', undefined])
})

it('does not keep what was softened while it was read', async () => {
  const process = processHolding({ a: '1' }, { kind: { grace: GRACE } })
  const { begun, release } = process.hold()
  const read = process.rows.get('a')
  await begun
  soften(process, '2')
  release()
  expect(await read).toBe('1')
  expect(await whyStale(process)).toEqual(['2', undefined])
})

it('takes from another process what it has refreshed, though that turns stale earlier', async () => {
  const remote = new TinyRemote()
  const lives = [0, 0.9]
  const random = () => lives.shift() ?? 0
  const [one, other] = pair({ remote, random, kind: { grace: GRACE, jitter: 0.5 } })
  await one.rows.get('a')
  await other.rows.get('a')
  one.clock.advance(10)
  soften(one, '2')
  other.follow()
  await one.rows.get('a')
  await quiet()
  await other.rows.get('a')
  await quiet()
  expect(await whyStale(other)).toEqual(['2', undefined])
  expect(other.loads).toEqual([])
})

it('serves what only the remote tier has, stale, while it is refreshed', async () => {
  const remote = new TinyRemote()
  const process = await warm({ ttlMs: 1000, grace: GRACE }, { remote })
  changeUntold(process, '2')
  process.clock.advance(1100)
  process.cache.clearMemory()
  expect(await whyStale(process)).toEqual(['1', 'revalidating'])
  await quiet()
  expect(await whyStale(process)).toEqual(['2', undefined])
})

it('lets rest what only the remote tier had, after its refresh has failed', async () => {
  const process = await warm({ ttlMs: 1000, grace: GRACE }, { remote: new TinyRemote() })
  process.clock.advance(1100)
  process.cache.clearMemory()
  process.failure = DOWN
  expect(await whyStale(process)).toEqual(['1', 'revalidating'])
  await quiet()
  const loads = process.loads.length
  for (const _ of [1, 2]) {
    expect(await whyStale(process)).toEqual(['1', 'error'])
    await quiet()
  }
  expect(process.loads).toHaveLength(loads)
})

for (const tiers of ['both', 'redis'] as const) {
  it(`serves what only the remote tier has where the source fails, with tiers ${tiers}`, async () => {
    const remote = new TinyRemote()
    const process = await warm({ ttlMs: 1000, grace: GRACE, tiers }, { remote })
    process.clock.advance(1600)
    process.cache.clearMemory()
    process.failure = DOWN
    expect(await whyStale(process)).toEqual(['1', 'error'])
    process.clock.advance(4400)
    process.cache.clearMemory()
    await expect(process.rows.get('a')).rejects.toBe(DOWN)
  })

  it(`serves nothing softened from the remote tier to who must not have it, with tiers ${tiers}`, async () => {
    const remote = new TinyRemote()
    const process = await warm({ grace: GRACE, tiers }, { remote })
    soften(process, '2')
    process.cache.clearMemory()
    process.failure = DOWN
    await expect(process.rows.get('a', { position: process.ledger.seen })).rejects.toBe(DOWN)
    await expect(process.rows.get('a', { fresh: true })).rejects.toBe(DOWN)
    expect(await whyStale(process)).toEqual(['1', 'softened'])
  })
}

it('serves stale that something does not exist', async () => {
  const process = processHolding({}, { kind: { ttlMs: 1000, negativeTtlMs: 100, grace: GRACE } })
  await process.rows.get('x')
  process.clock.advance(100)
  process.failure = DOWN
  expect(await whyStale(process, {}, 'x')).toEqual([undefined, 'revalidating'])
  process.clock.advance(500)
  expect(await whyStale(process, {}, 'x')).toEqual([undefined, 'error'])
  process.writeAndFollow('x', '1')
  await expect(process.rows.get('x')).rejects.toBe(DOWN)
})

it('tells who watches of everything that was served stale, and of its refresh', async () => {
  const seen: string[] = []
  const observer = {
    onStaleServed: (kind: string, why: string) => void seen.push(`${kind} ${why}`),
    onRefresh: (kind: string, why: string) => void seen.push(`${kind} refreshed, ${why}`),
    onRequest: (_: string, tier: string, result: string) => void seen.push(`${tier} ${result}`),
  }
  const process = await warm({ ttlMs: 1000, grace: GRACE }, { observer })
  seen.length = 0
  process.clock.advance(1000)
  await process.rows.getMany(['a', 'a'])
  expect(seen).toEqual(['memory stale', 'row refreshed, stale', 'row revalidating'])
})

/** A process that has row `a`, with the value 1. */
async function warm(kind: Options['kind'], options: Options = {}): Promise<TinyProcess> {
  const process = processHolding({ a: '1' }, { ...options, kind: { ...kind, jitter: 0 } })
  await process.rows.get('a')
  return process
}

function pair(options: Options): [TinyProcess, TinyProcess] {
  return processesHolding(2, { a: '1' }, options) as [TinyProcess, TinyProcess]
}

/** Nothing tells of this write: only who loads anew finds it. */
const changeUntold = (process: TinyProcess, value: string) => process.writeAndFollow('a', value, [])

const soften = (process: TinyProcess, value: string) => process.writeAndFollow('a', value, [softly('rows:a')])

/** What a reader is given, and why it is stale where it is. */
async function whyStale(process: TinyProcess, reader: Reader = {}, key = 'a') {
  let why: string | undefined
  const value = await process.rows.get(key, { ...reader, onRead: (_kind, _entry, _origin, stale) => (why = stale) })
  return [value, why]
}

type Options = NonNullable<Parameters<typeof processHolding>[1]>
