import { expect, it } from '@jest/globals'
import { processHolding, quiet, TinyProcess, type TinyProcessOptions } from '../../../test/models/tiny-process.ts'
import { Random } from '../../kernel/random.ts'

const LOAD_MS = 100
const SEED = 1

for (const [loadsLeft, earlyRefresh] of [
  [0.5, 1],
  [1, 1],
  [2, 1],
  [4, 1],
  [2, 2],
  [2, 0.5],
] as const) {
  const promised = Math.exp(-loadsLeft / earlyRefresh)
  const percent = (100 * promised).toFixed(1)
  it(`refreshes ${percent} % of what is read ${loadsLeft} times its load before it turns stale, at β = ${earlyRefresh}`, async () => {
    const { process, keys, seen } = await filled(4000, { earlyRefresh })
    process.clock.advance(60_000 - loadsLeft * LOAD_MS)
    await process.rows.getMany(keys)
    const share = (seen.get('early') ?? 0) / keys.length
    // Six standard deviations.
    const margin = 6 * Math.sqrt((promised * (1 - promised)) / keys.length)
    expect(Math.abs(share - promised)).toBeLessThan(margin)
    expect(seen.get('memory hit')).toBe(keys.length)
  })
}

it('refreshes nothing early that is far from turning stale, or was loaded in no time, or with a β of 0', async () => {
  for (const [kind, loadMs, leftMs] of [
    [{}, LOAD_MS, 30 * LOAD_MS],
    [{}, 0, 1],
    [{ earlyRefresh: 0 }, LOAD_MS, 1],
  ] as const) {
    const { process, keys, seen } = await filled(1000, kind, loadMs)
    process.clock.advance(60_000 - leftMs)
    await process.rows.getMany(keys)
    expect(seen.get('early')).toBeUndefined()
  }
})

it('answers from memory while it refreshes early, once for all, and then with the new value', async () => {
  const process = processHolding({ a: '1' }, { random: () => 0.9999, kind: { jitter: 0 } })
  await readTaking(process, LOAD_MS, ['a'])
  process.writeAndFollow('a', '2', [])
  process.clock.advance(60_000 - LOAD_MS)
  const { begun, release } = process.hold()
  expect(await Promise.all([process.rows.get('a'), process.rows.get('a')])).toEqual(['1', '1'])
  await begun
  expect(await process.rows.get('a')).toBe('1')
  release()
  await quiet()
  expect(await process.rows.get('a')).toBe('2')
  expect(process.loads).toHaveLength(2)
})

it('rests after an early refresh that failed', async () => {
  const process = processHolding({ a: '1' }, { random: () => 0.9999, kind: { jitter: 0 } })
  await readTaking(process, LOAD_MS, ['a'])
  process.clock.advance(60_000 - LOAD_MS)
  process.failure = new Error('database down')
  const { begun, release } = process.hold()
  await process.rows.get('a')
  await begun
  release()
  await quiet()
  for (let read = 0; read < 10; read++) expect(await process.rows.get('a').catch(() => 'failed')).toBe('1')
  expect(process.loads).toHaveLength(2)
})

it('spreads the reloads of 10,000 entries that were filled in the same second over their jitter', async () => {
  const random = seeded()
  const process = new TinyProcess({ random, kind: { ttlMs: 60_000, negativeTtlMs: 60_000, jitter: 0.1 } })
  const keys = names(10_000)
  const filledAtMs = process.clock.now()
  for (let tenth = 0; tenth < 10; tenth++) {
    await process.rows.getMany(keys.slice(tenth * 1000, (tenth + 1) * 1000))
    process.clock.advance(100)
  }
  process.loads.length = 0
  const reloads = new Map<number, number>()
  for (let ms = 53_000; ms <= 61_000; ms += 100) {
    process.clock.advance(filledAtMs + ms - process.clock.now())
    await process.rows.getMany(keys)
    reloads.set(
      ms,
      process.loads.splice(0).reduce((sum, load) => sum + load.keys.length, 0),
    )
  }
  const between = (fromMs: number, toMs: number) =>
    [...reloads].reduce((sum, [ms, count]) => sum + (ms > fromMs && ms <= toMs ? count : 0), 0)
  expect(between(0, 54_000)).toBe(0)
  expect(between(0, 61_000)).toBe(keys.length)
  // Lives end evenly between 54 and 60 s after the fill, which took a second: a sixth of them in each second in between.
  const [expected, deviation] = [keys.length / 6, Math.sqrt((keys.length * 5) / 36)]
  for (let second = 55; second < 60; second++) {
    expect(Math.abs(between(second * 1000, second * 1000 + 1000) - expected)).toBeLessThan(6 * deviation)
  }
  expect(Math.max(...reloads.values())).toBeLessThan(expected / 10 + 6 * Math.sqrt(expected / 10))
})

it('never misses what is hot among 10,000 entries that were filled in the same second, for its early refresh', async () => {
  const { process, keys, misses } = await stormy({ ttlMs: 10_000, earlyRefresh: 1 })
  const hot = keys.slice(0, 20)
  // 500 times a second, while a load takes 0.2 s.
  for (let ms = 0; ms < 25_000; ms += 2) {
    await process.rows.getMany(hot)
    await tick(process, 2)
  }
  expect(misses()).toBe(0)
  expect(process.loads.length).toBeGreaterThan(2 * 20)
})

it('never misses what is hot among 10,000 entries that were filled in the same second, for its refresh ahead', async () => {
  const { process, keys, misses } = await stormy({ ttlMs: 10_000, earlyRefresh: 0, parseKey: (text) => text })
  const stop = process.cache.startRefresher({ everyMs: 1000, concurrency: 4 })
  const hot = keys.slice(0, 10)
  for (let ms = 0; ms < 35_000; ms += 50) {
    await process.rows.getMany(hot)
    await tick(process, 50)
  }
  stop()
  expect(misses()).toBe(0)
  expect(process.loads.flatMap((load) => load.keys).every((key) => hot.includes(key))).toBe(true)
})

it('misses what is hot where nothing refreshes it before it turns stale', async () => {
  const { process, keys, misses } = await stormy({ ttlMs: 10_000, earlyRefresh: 0, refreshAhead: false })
  for (let ms = 0; ms < 11_000; ms += 50) {
    void process.rows.getMany(keys.slice(0, 10))
    await tick(process, 50)
  }
  expect(misses()).toBeGreaterThanOrEqual(10)
})

const names = (count: number) => Array.from({ length: count }, (_, index) => `row ${index}`)

function seeded(): () => number {
  const random = new Random(SEED)
  return () => random.next()
}

/** A process with so many rows in memory, and counts of what happens to it from then on. */
async function filled(count: number, kind: TinyProcessOptions['kind'], loadMs = LOAD_MS) {
  const seen = new Map<string, number>()
  const see = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const observer = {
    onRefresh: (_: string, why: string) => see(why),
    onRequest: (_: string, tier: string, result: string) => see(`${tier} ${result}`),
  }
  const { ttlMs = 60_000 } = kind ?? {}
  const options = { jitter: 0, ttlMs, negativeTtlMs: ttlMs, maxBatch: count, ...kind }
  const process = new TinyProcess({ random: seeded(), observer, kind: options, memoryMaxBytes: 2 ** 28 })
  const keys = names(count)
  await readTaking(process, loadMs, keys)
  seen.clear()
  return { process, keys, seen }
}

/** 10,000 entries filled at once; from then on loads take 0.2 s, as the first one did. */
async function stormy(kind: TinyProcessOptions['kind']) {
  const { process, keys, seen } = await filled(10_000, { jitter: 0.1, ...kind }, 200)
  const { load } = TinyProcess.prototype
  process.load = async (wanted, source) => {
    await new Promise<void>((resolve) => void process.clock.after(200, resolve))
    return load.call(process, wanted, source)
  }
  process.loads.length = 0
  return { process, keys, misses: () => seen.get('memory miss') ?? 0 }
}

/** Reads what is missing in one load that takes so long. */
async function readTaking(process: TinyProcess, ms: number, keys: readonly string[]): Promise<void> {
  const { load } = TinyProcess.prototype
  process.load = (wanted, source) => {
    process.clock.advance(ms)
    return load.call(process, wanted, source)
  }
  await process.rows.getMany(keys)
  process.load = load
}

async function tick(process: TinyProcess, ms: number): Promise<void> {
  process.clock.advance(ms)
  await new Promise((resolve) => setImmediate(resolve))
}
