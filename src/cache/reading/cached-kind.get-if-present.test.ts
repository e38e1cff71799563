import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from '@jest/globals'
import { processHolding, quiet } from '../../../test/models/tiny-process.ts'
import { Random } from '../../kernel/random.ts'
import { Cache } from '../cache.ts'
import { Ledger } from '../ledger/ledger.ts'
import { HotKeys } from '../memory/hot-keys.ts'
import type { Reader } from '../reader.ts'

it('gives at once what memory has, and tells its reader and who counts', async () => {
  const seen: string[] = []
  const process = processHolding({ a: '1' }, { observer: { onRequest: (...what) => void seen.push(what.join(' ')) } })
  expect(process.rows.getIfPresent('a')).toBeUndefined()
  expect(seen).toEqual([])
  await process.rows.getMany(['a', 'x'])
  seen.length = 0
  const reader: Reader = {
    onRead: (kind, { value }, origin, stale) => void seen.push(`${[kind, value, origin, stale]}`),
  }
  expect(process.rows.getIfPresent('a', reader)?.value).toBe('1')
  expect(process.rows.getIfPresent('x', reader)).toMatchObject({ value: undefined })
  expect(seen).toEqual(['row memory hit', 'row,1,memory,', 'row memory hit', 'row,,memory,'])
  expect(process.rows.getIfPresent('a', { bypass: true })).toBeUndefined()
})

it('gives nothing that a write has felled, or that is past its time', async () => {
  const process = processHolding({ a: '1' }, { kind: { ttlMs: 1000 } })
  await process.rows.get('a')
  process.writeAndFollow('a', '2')
  expect(process.rows.getIfPresent('a')).toBeUndefined()
  await process.rows.get('a')
  process.clock.advance(999)
  expect(process.rows.getIfPresent('a')?.value).toBe('2')
  process.clock.advance(1)
  expect(process.rows.getIfPresent('a')).toBeUndefined()
})

it.each(['evicted', 'replaced', 'cleared'])('keeps no value alive once it is %s', async (how) => {
  const ledger = new Ledger()
  ledger.restart('a', 0)
  let loads = 0
  const load = async (keys: readonly number[]) => {
    loads++
    return { asOf: 0, unsettled: false, values: keys.map((key) => ({ text: `${loads} ${key}`.repeat(1000) })) }
  }
  const cache = new Cache({ ledger, settle: async () => {}, memoryMaxBytes: 100_000 })
  const values = cache.kind<number, { readonly text: string }>({
    name: 'value',
    key: String,
    tags: () => [],
    load,
    ttlMs: 1000,
  })
  const held = await (async () => {
    const value = await values.get(1)
    expect(values.getIfPresent(1)?.value).toBe(value)
    return new WeakRef(value ?? {})
  })()
  if (how === 'evicted') await values.getMany(Array.from({ length: 1000 }, (_, index) => 2 + index))
  else if (how === 'replaced') await values.get(1, { bypass: true })
  else cache.clearMemory()
  await quiet()
  collectGarbage()
  expect(held.deref()).toBeUndefined()
})

it('finds an entry by number and by text, and keeps no value alive that was known by both', async () => {
  const ledger = new Ledger()
  ledger.restart('a', 0)
  const cache = new Cache({ ledger, settle: async () => {} })
  let loads = 0
  const values = cache.kind<number | string, { readonly load: number }>({
    name: 'value',
    key: String,
    tags: () => [],
    load: async (keys) => {
      loads++
      return { asOf: 0, unsettled: false, values: keys.map(() => ({ load: loads })) }
    },
    ttlMs: 1000,
  })
  const held = await (async () => new WeakRef((await values.get(1)) ?? {}))()
  for (const key of [1, '1', 1]) expect(values.getIfPresent(key)?.value).toEqual({ load: 1 })
  cache.clearMemory()
  await values.get('1')
  for (const key of [1, '1', 1]) expect(values.getIfPresent(key)?.value).toEqual({ load: 2 })
  expect(loads).toBe(2)
  await quiet()
  collectGarbage()
  expect(held.deref()).toBeUndefined()
})

it('gives what is stale where grace allows it, and refreshes it', async () => {
  const process = processHolding({ a: '1' }, { kind: { ttlMs: 1000, grace: { staleWhileRevalidateMs: 500 } } })
  await process.rows.get('a')
  process.clock.advance(1000)
  const stale: unknown[] = []
  const reader: Reader = { onRead: (...what) => void stale.push(what[3]) }
  expect(process.rows.getIfPresent('a', reader)?.value).toBe('1')
  expect(stale).toEqual(['revalidating'])
  expect(process.rows.getIfPresent('a', { fresh: true })).toBeUndefined()
  await quiet()
  expect(process.loads).toHaveLength(2)
  process.rows.getIfPresent('a', reader)
  expect(stale).toEqual(['revalidating', undefined])
})

it('refreshes early what is about to turn stale', async () => {
  const process = processHolding({ a: '1' }, { random: () => 0.999999, kind: { ttlMs: 1000, jitter: 0 } })
  const held = process.hold()
  const loading = process.rows.get('a')
  await held.begun
  process.clock.advance(100)
  held.release()
  await loading
  process.clock.advance(999)
  expect(process.rows.getIfPresent('a')?.value).toBe('1')
  await quiet()
  expect(process.loads).toHaveLength(2)
})

it('counts what is at hand as used, by whoever watches for what is hot', async () => {
  const hotKeys = new HotKeys({ sampleEvery: 1 })
  const { cache, numbers } = numbered({ hotKeys })
  await numbers.get(7)
  for (let use = 0; use < 3; use++) numbers.getIfPresent(7)
  expect(cache.hottest()).toEqual([{ kind: 'number', key: '7', count: 3 }])
})

it('finds entries by number wherever they are: replaced, thrown out, forgotten, come back', async () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e9))
  const random = new Random(seed)
  const pick = (count: number) => Math.floor(random.next() * count)
  const { cache, ledger, numbers, written } = numbered({ memoryMaxBytes: 6000 })
  let hits = 0
  for (let step = 0; step < 20_000; step++) {
    const key = pick(40)
    const what = pick(100)
    if (what < 10) {
      const position = ledger.seen + 1
      written.set(key, position)
      ledger.advance({ epoch: 'e', after: position - 1, records: [{ position, tags: [`n:${key}`], writtenAtUs: 1 }] })
    } else if (what === 10) cache.clearMemory()
    else if (what < 40) await numbers.getMany([key, pick(40), key])
    else {
      const entry = numbers.getIfPresent(key)
      if (!entry) continue
      hits++
      expect([seed, step, entry.key, entry.value]).toEqual([seed, step, numbers.keyOf(`${key}`), textOf(key, written)])
    }
  }
  expect(hits).toBeGreaterThan(1000)
})

const textOf = (key: number, written: ReadonlyMap<number, number>) => `${key} as of ${written.get(key) ?? 0}`

/** A kind whose keys are numbers, and whose values tell when they were written. */
function numbered(options: { readonly memoryMaxBytes?: number; readonly hotKeys?: HotKeys }) {
  const ledger = new Ledger()
  ledger.restart('e', 0)
  const written = new Map<number, number>()
  const cache = new Cache({ ledger, settle: async () => {}, ...options })
  const numbers = cache.kind<number, string>({
    name: 'number',
    ttlMs: 60_000,
    key: String,
    parseKey: Number,
    tags: (key) => [`n:${key}`],
    load: async (keys) => ({ asOf: ledger.seen, unsettled: false, values: keys.map((key) => textOf(key, written)) }),
  })
  return { cache, ledger, numbers, written }
}

it('finds an entry again by its text, also once another has taken its place', async () => {
  const process = processHolding({ a: '1' }, { kind: { ttlMs: 1000 } })
  expect(process.rows.getIfPresent('a')).toBeUndefined()
  await process.rows.get('a')
  expect(process.rows.getIfPresent('a')?.value).toBe('1')
  process.writeAndFollow('a', '2')
  expect(process.rows.getIfPresent('a')).toBeUndefined()
  await process.rows.get('a')
  expect(process.rows.getIfPresent('a')?.value).toBe('2')
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
