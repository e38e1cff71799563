import { beforeEach, expect, it } from '@jest/globals'
import { ReleaseWakers } from './release-wakers.ts'

let wakers: ReleaseWakers
let woken: string[]

beforeEach(() => {
  wakers = new ReleaseWakers()
  woken = []
})

it('keeps nothing of who was woken, or left', () => {
  const stops = [wait('a', 'first'), wait('a', 'second'), wait('b', 'third')]
  expect(wakers.size).toBe(2)
  stops[2]?.()
  expect(wakers.size).toBe(1)
  wakers.wake('a')
  expect(woken).toEqual(['first', 'second'])
  expect(wakers.size).toBe(0)
  for (const stop of stops) stop()
  expect(wakers.size).toBe(0)
})

it('lets a late stop alone who waits by now', () => {
  const stop = wait('a', 'first')
  wakers.wake('a')
  wait('a', 'second')
  stop()
  wakers.wake('a')
  expect(woken).toEqual(['first', 'second'])
})

it('does not wake who is stopped by another that wakes', () => {
  let stop = () => {}
  wakers.add('a', () => stop())
  stop = wait('a', 'second')
  wakers.wake('a')
  expect(woken).toEqual([])
})

it('wakes twice who waits twice', () => {
  const wake = () => void woken.push('a')
  wakers.add('a', wake)
  wakers.add('a', wake)
  wakers.wake('a')
  expect(woken).toEqual(['a', 'a'])
})

function wait(key: string, name: string): () => void {
  return wakers.add(key, () => void woken.push(name))
}
