import { expect, it } from '@jest/globals'
import { Random } from './random.ts'
import { TransientMap } from './transient-map.ts'

it('does what a Map does', () => {
  const random = new Random(7)
  const [map, expected] = [new TransientMap<number, string>(), new Map<number, string>()]
  for (let step = 0; step < 2000; step++) {
    const key = random.below(20)
    if (random.next() < 0.5) {
      expect(map.set(key, `${step}`)).toBe(map)
      expected.set(key, `${step}`)
    } else expect(map.delete(key)).toBe(expected.delete(key))
    expect(map.get(key)).toBe(expected.get(key))
    expect(map.has(key)).toBe(expected.has(key))
    expect(map.size).toBe(expected.size)
  }
  expect([...map]).toEqual([...expected])
})

it('leaves out what is deleted while it is gone through, and takes in what is added', () => {
  const map = new TransientMap<number, string>().set(1, 'a').set(2, 'b')
  const seen: string[] = []
  for (const [key, value] of map) {
    seen.push(value)
    if (key === 1) map.set(3, 'c').delete(2)
  }
  expect(seen).toEqual(['a', 'c'])
})
