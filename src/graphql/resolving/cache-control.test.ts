import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CacheControl, type CacheHint } from './cache-control.ts'

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

const hint: fc.Arbitrary<CacheHint> = fc.record(
  { maxAge: fc.nat({ max: 600 }), scope: fc.constantFrom('PUBLIC', 'PRIVATE') },
  { requiredKeys: [] },
)

it(`lives as long as the least of all hints, in whatever order they come (TEST_SEED=${seed})`, () => {
  fc.assert(
    fc.property(fc.array(hint), fc.array(fc.nat({ max: 600_000 })), fc.boolean(), (hints, lives, hintsFirst) => {
      const control = new CacheControl()
      const hear = () => {
        for (const hint of hints) control.setCacheHint(hint)
      }
      if (hintsFirst) hear()
      for (const life of lives) control.onEntries([{ tags: [], storedAtMs: 1000, staleAtMs: 1000 + life }])
      if (!hintsFirst) hear()
      const all = [...hints.flatMap(({ maxAge }) => (maxAge === undefined ? [] : [maxAge * 1000])), ...lives]
      expect(control.ttlMs).toBe(Math.min(...all))
      expect(control.isPrivate).toBe(hints.some(({ scope }) => scope === 'PRIVATE'))
    }),
    { seed },
  )
})

it('depends on the tags that resolvers add and on the tags of its entries', () => {
  const control = new CacheControl()
  control.cacheTag('weather', 'articles:1')
  control.onEntries([{ tags: ['articles:1', 'articles'], storedAtMs: 0, staleAtMs: 1 }])
  control.cacheTag()
  expect([...control.tags]).toEqual(['weather', 'articles:1', 'articles'])
})

it('is not changed by the fields that a hint leaves out', () => {
  const control = new CacheControl()
  control.setCacheHint({})
  control.setCacheHint({ scope: 'PUBLIC' })
  expect([control.ttlMs, control.isPrivate]).toEqual([Number.POSITIVE_INFINITY, false])
  control.setCacheHint({ maxAge: 0, scope: 'PRIVATE' })
  control.setCacheHint({ maxAge: 60, scope: 'PUBLIC' })
  expect([control.ttlMs, control.isPrivate]).toEqual([0, true])
})
