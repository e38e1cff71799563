import { expect, it } from '@jest/globals'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import { processHolding, quiet, type TinyProcess, type TinyProcessOptions } from '../../../test/models/tiny-process.ts'
import { HotKeys } from './hot-keys.ts'
import { startRefresher } from './refresher.ts'

const PARSED = { parseKey: (text: string) => text }

it('renews what is used before it turns stale, and nothing else', async () => {
  const seen: string[] = []
  const observer = { onRefresh: (_: string, why: string) => void seen.push(why) }
  const process = await warm({ observer })
  process.cache.startRefresher({ everyMs: 1000 })
  await pass(process, 57)
  expect(process.loads).toHaveLength(1)
  await pass(process, 3)
  expect(process.loads.slice(1).flatMap(({ keys }) => keys)).toEqual(['a'])
  expect(seen).toEqual(['hot'])
})

it('leaves alone what has not been used for a while', async () => {
  const process = await warm()
  process.cache.startRefresher({ everyMs: 1000 })
  await pass(process, 70, { reads: false })
  expect(process.loads).toHaveLength(1)
})

it('does nothing once it is stopped', async () => {
  const process = await warm()
  const stop = process.cache.startRefresher({ everyMs: 1000 })
  stop()
  expect(process.clock.waiting).toBe(0)
  await pass(process, 59)
  expect(process.loads).toHaveLength(1)
})

it('begins no further round, and no further refresh, where it is stopped within one', async () => {
  const { clock, started, finish, stop } = await refreshing(['a', 'b'], { concurrency: 1 })
  expect(started).toEqual(['a'])
  stop()
  finish()
  await quiet()
  expect(started).toEqual(['a'])
  expect(clock.waiting).toBe(0)
})

it('renews so many at a time, and begins no round before the last is over', async () => {
  const { clock, started, finish } = await refreshing(['a', 'b', 'c'], { concurrency: 2 })
  expect(started).toEqual(['a', 'b'])
  clock.advance(10_000)
  expect(started).toEqual(['a', 'b'])
  finish()
  await quiet()
  expect(started).toEqual(['a', 'b', 'c'])
  clock.advance(1000)
  expect(started).toHaveLength(5)
})

it('goes on after a refresh that fails, or hangs, or whose key cannot be read back', async () => {
  const errors: string[] = []
  const observer = { onRefreshError: (_: string, { message }: Error) => void errors.push(message) }
  const kind = {
    parseKey: (text: string) => {
      if (text === 'b') throw new Error('no key')
      return text
    },
    loadTimeout: { hardMs: 500 },
    grace: { staleWhileRevalidateMs: 60_000 },
  }
  const process = await warm({ observer, kind })
  process.cache.startRefresher({ everyMs: 1000, concurrency: 1 })
  process.failure = new Error('database down')
  await pass(process, 58, { keys: ['a', 'b'] })
  expect(new Set(errors)).toEqual(new Set(['database down', 'no key']))
  process.failure = undefined
  const { begun, letOthersPass } = process.hold()
  await pass(process, 2)
  await begun
  letOthersPass()
  await pass(process, 3)
  expect(errors).toContainEqual(expect.stringContaining('could not be loaded within 500 ms'))
  changeUntold(process, '2')
  await pass(process, 58)
  expect(await process.rows.get('a')).toBe('2')
})

it('rests after a refresh that failed, however often it looks', async () => {
  const process = await warm()
  process.cache.startRefresher({ everyMs: 100 })
  for (let read = 0; read < 8; read++) await process.rows.get('a')
  process.clock.advance(59_700)
  await quiet()
  process.failure = new Error('database down')
  for (let round = 0; round < 9; round++) {
    process.clock.advance(100)
    await quiet()
  }
  expect(process.loads).toHaveLength(2)
})

for (const [what, kind] of [
  ['that cannot be loaded by its text', { parseKey: undefined }],
  ['whose policy does not want it', { refreshAhead: false }],
  ['that each viewer has for themselves', { scope: 'viewer' }],
] as const) {
  it(`does not renew what is used, of a kind ${what}`, async () => {
    const process = processHolding(
      { a: '1' },
      { kind: { ...PARSED, jitter: 0, ...kind } as TinyProcessOptions['kind'] },
    )
    for (let read = 0; read < 100; read++) await process.rows.get('a', { viewer: 'me' })
    process.cache.startRefresher({ everyMs: 1000 })
    await pass(process, 59, { reads: false })
    expect(process.loads).toHaveLength(1)
  })
}

it('tells what is used most', async () => {
  const process = await warm()
  for (let read = 0; read < 5; read++) await process.rows.getMany(read < 3 ? ['a', 'b'] : ['a'])
  expect(process.cache.hottest()).toEqual([
    { kind: 'row', key: 'a', count: 5 },
    { kind: 'row', key: 'b', count: 3 },
  ])
})

/** A process that has rows a and b in memory. */
async function warm(options: TinyProcessOptions = {}): Promise<TinyProcess> {
  const process = processHolding({ a: '1', b: '1' }, { ...options, kind: { ...PARSED, jitter: 0, ...options.kind } })
  await process.rows.getMany(['a', 'b'])
  return process
}

/** Seconds go by, in each of which keys are read a few times. */
async function pass(process: TinyProcess, seconds: number, { reads = true, keys = ['a'] } = {}): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (let read = 0; reads && read < 4; read++) for (const key of keys) await process.rows.get(key).catch(() => {})
    process.clock.advance(1000)
    await quiet()
  }
}

const changeUntold = (process: TinyProcess, value: string) => process.writeAndFollow('a', value, [])

/** A refresher within its first round over `hot` keys, whose refreshes end when they are let. */
async function refreshing(hot: readonly string[], { concurrency }: { readonly concurrency: number }) {
  const clock = new ManualClock()
  const hotKeys = new HotKeys({ sampleEvery: 1 })
  for (const id of hot) for (let use = 0; use < 8; use++) hotKeys.use(id)
  const started: string[] = []
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const refresh = (id: string) => {
    started.push(id)
    return finished
  }
  const stop = startRefresher({ hotKeys, clock, refresh, everyMs: 1000, concurrency })
  clock.advance(1000)
  await quiet()
  return { clock, started, finish, stop }
}
