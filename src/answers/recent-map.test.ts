import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RecentMap } from './recent-map.ts'

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

it(`holds the last half of what it may surely, and never more (TEST_SEED=${seed})`, () => {
  const use = fc.record({ key: fc.nat({ max: 12 }), sets: fc.boolean() })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(use, { maxLength: 60 }), (max, uses) => {
      const map = new RecentMap<number, string>(max)
      const last = new Map<number, string>()
      const recent: number[] = []
      for (const [time, { key, sets }] of uses.entries()) {
        if (sets) {
          map.set(key, `at ${time}`)
          last.set(key, `at ${time}`)
        }
        const found = map.get(key)
        if (found !== undefined || recent.includes(key)) expect(found).toBe(last.get(key))
        if (found === undefined) continue
        if (recent.includes(key)) recent.splice(recent.indexOf(key), 1)
        recent.push(key)
        recent.splice(0, recent.length - Math.floor(max / 2))
      }
      // A look moves what is found, so what was found last is looked for last.
      const held = [...last.keys()].filter((key) => !recent.includes(key) && map.get(key) !== undefined)
      expect(held.length).toBeLessThanOrEqual(max)
    }),
    { seed },
  )
})
