import { expect, it } from '@jest/globals'
import { processesHolding, processHolding, quiet, type TinyProcess } from '../../test/models/tiny-process.ts'
import { TinyRemote } from '../../test/models/tiny-remote.ts'

/** Clocks that are set ahead and back: no entry lives longer than its time to live. */
const HOUR_MS = 3_600_000
const kind = { ttlMs: 60_000, jitter: 0, grace: { staleWhileRevalidateMs: 10_000, staleIfErrorMs: 30_000 } }

it('serves nothing unmarked past its time to live, though the clock was an hour ahead when it was stored', async () => {
  const process = processHolding({ a: '1' }, { kind })
  process.clock.set(HOUR_MS)
  await process.rows.get('a')
  changeUntold(process, '2')
  process.clock.set(-HOUR_MS)
  process.clock.advance(1)
  expect(process.rows.getIfPresent('a')).toBeUndefined()
  expect(await process.rows.get('a')).toBe('2')
  expect(lifeLeft(process)).toBe(60_000)
})

it('serves nothing of that once the clock gets to where it was set back from', async () => {
  const process = processHolding({ a: '1', b: '1' }, { kind })
  process.clock.set(HOUR_MS)
  await process.rows.get('a')
  process.clock.set(-HOUR_MS)
  // Another entry is read meanwhile, and this one is not.
  await process.rows.get('b')
  changeUntold(process, '2')
  process.clock.advance(HOUR_MS + 1000)
  expect(await process.rows.get('a')).toBe('2')
})

it('lets what is stored after the clock was set back live as long as anything', async () => {
  const process = processHolding({ a: '1' }, { kind })
  await process.rows.get('a')
  process.clock.set(-HOUR_MS)
  await process.rows.get('a')
  process.clock.advance(59_999)
  await process.rows.get('a')
  expect(process.loads).toHaveLength(2)
  process.clock.advance(10_001)
  await process.rows.get('a')
  await quiet()
  expect(process.loads).toHaveLength(3)
})

it('forgets nothing for a second, and says by how much it was more', async () => {
  const setBack: number[] = []
  const observer = { onClockSetBack: (byMs: number) => void setBack.push(byMs) }
  const process = processHolding({ a: '1' }, { kind, observer })
  await process.rows.get('a')
  process.clock.set(-1000)
  await process.rows.get('a')
  expect(process.loads).toHaveLength(1)
  process.clock.set(-1001)
  await process.rows.get('a')
  expect(process.loads).toHaveLength(2)
  expect(setBack).toEqual([1001])
})

it('tries again a second after a load failed, though the clock was set back meanwhile', async () => {
  const process = processHolding({ a: '1' }, { kind })
  await process.rows.get('a')
  process.clock.advance(60_001)
  process.failure = new Error('database down')
  await process.rows.get('a')
  await quiet()
  process.failure = undefined
  process.clock.set(-HOUR_MS)
  process.clock.advance(1001)
  await process.rows.get('a')
  await quiet()
  expect(lifeLeft(process)).toBe(60_000)
})

it('waits no longer for a lease, though the clock was set back meanwhile', async () => {
  const remote = new TinyRemote()
  const [holder, waiting] = processesHolding(2, { a: '1' }, { remote, kind }) as [TinyProcess, TinyProcess]
  const { begun } = holder.hold()
  void holder.rows.get('a')
  await begun
  const read = waiting.rows.get('a')
  await quiet()
  waiting.clock.set(-HOUR_MS)
  for (let time = 0; time < 3; time++) {
    waiting.clock.advance(1000)
    await quiet()
  }
  expect(await read).toBe('1')
})

for (const [what, hours] of [
  ['ahead', 1],
  ['behind', -1],
] as const) {
  it(`gives what a process stored whose clock was ${what} no longer a life than its own, however short that is`, async () => {
    const remote = new TinyRemote()
    const [fast, right] = processesHolding(2, {}, { remote, kind }) as [TinyProcess, TinyProcess]
    fast.clock.set(hours * HOUR_MS)
    // Of a row that doesn't exist: a tenth of the others' life.
    await fast.rows.get('none')
    right.clock.set(-hours * HOUR_MS)
    await right.rows.get('none')
    expect(lifeLeft(right)).toBeLessThanOrEqual(6000)
  })
}

/** How long the entry in memory has yet to live. */
function lifeLeft(process: TinyProcess): number | undefined {
  const [entry] = process.cache.entries()
  return entry && entry.staleAtMs - process.clock.now()
}

/** Changes the row without a record in the log: only time tells. */
function changeUntold(process: TinyProcess, value: string): void {
  process.database.write('a', value, ['none'])
  process.database.sequence()
}
