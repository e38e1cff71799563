import { expect, it } from '@jest/globals'
import { Random, Zipf } from '../../kernel/random.ts'
import { HotKeys } from './hot-keys.ts'

it('counts what is used, and tells the most used first', () => {
  const hotKeys = new HotKeys({ sampleEvery: 1 })
  use(hotKeys, { a: 3, b: 5, c: 2 })
  expect(hotKeys.hottest()).toEqual([
    { id: 'b', count: 5 },
    { id: 'a', count: 3 },
    { id: 'c', count: 2 },
  ])
})

it('does not call hot what was used once', () => {
  const hotKeys = new HotKeys({ sampleEvery: 1 })
  use(hotKeys, { a: 1, b: 2 })
  expect(hotKeys.hottest().map(({ id }) => id)).toEqual(['b'])
  expect(hotKeys.hottest(1)).toHaveLength(2)
})

it('credits a newcomer with none of the uses of what it pushed out', () => {
  const hotKeys = new HotKeys({ sampleEvery: 1, capacity: 2 })
  use(hotKeys, { a: 9, b: 5, c: 1 })
  expect(hotKeys.hottest(1)).toEqual([
    { id: 'a', count: 9 },
    { id: 'c', count: 1 },
  ])
})

it('pushes out the coldest, also after a fading', () => {
  const hotKeys = new HotKeys({ sampleEvery: 1, capacity: 3 })
  use(hotKeys, { a: 9, b: 5, c: 7, d: 1 })
  hotKeys.fade()
  use(hotKeys, { e: 1, f: 1 })
  expect(hotKeys.hottest(1).map(({ id }) => id)).toEqual(['a', 'e', 'f'])
})

it('keeps whatever is used more often than one use in its capacity, through a scan', () => {
  const hotKeys = new HotKeys({ sampleEvery: 1, capacity: 10 })
  for (let use = 0; use < 1000; use++) {
    hotKeys.use(`once ${use}`)
    if (use % 8 === 0) hotKeys.use('often')
  }
  expect(hotKeys.hottest().map(({ id }) => id)).toContain('often')
})

it('finds nearly all of the hottest among many, though it holds few and counts some', () => {
  const random = new Random(1)
  const zipf = new Zipf(10_000)
  const hotKeys = new HotKeys({ capacity: 256, sampleEvery: 8, random: () => random.next() })
  for (let use = 0; use < 200_000; use++) hotKeys.use(`${zipf.pick(random)}`)
  const hottest = new Set(hotKeys.hottest().map(({ id }) => id))
  for (let rank = 0; rank < 20; rank++) expect(hottest).toContain(`${rank}`)
})

it('sees every key of those that are always used in the same order', () => {
  const random = new Random(1)
  const hotKeys = new HotKeys({ sampleEvery: 8, random: () => random.next() })
  for (let turn = 0; turn < 200; turn++) for (let key = 0; key < 16; key++) hotKeys.use(`${key}`)
  const counts = hotKeys.hottest().map(({ count }) => count)
  expect(counts).toHaveLength(16)
  expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThan(350)
  expect(counts.reduce((sum, count) => sum + count)).toBeLessThan(450)
})

it('forgets by halves what is not used any longer', () => {
  const hotKeys = new HotKeys({ sampleEvery: 1 })
  use(hotKeys, { a: 8, b: 2 })
  hotKeys.fade()
  expect(hotKeys.hottest(1)).toEqual([
    { id: 'a', count: 4 },
    { id: 'b', count: 1 },
  ])
  for (let fades = 0; fades < 3; fades++) hotKeys.fade()
  expect(hotKeys.hottest(0)).toEqual([])
})

function use(hotKeys: HotKeys, times: Readonly<Record<string, number>>): void {
  for (const [id, count] of Object.entries(times)) for (let n = 0; n < count; n++) hotKeys.use(id)
}
