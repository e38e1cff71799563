import { setImmediate } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { DatabaseOverloadedError, LoadLimit, type Weight } from './load-limit.ts'

/** Loads of both weights, which end when they are told to. */
function limited({ concurrent = 8, queued = 1000, waitMs = 60_000 } = {}) {
  const limit = new LoadLimit('read', { concurrent, queued, waitMs })
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const load = (name: string, weight: Weight) =>
    limit.run(() => {
      began.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    }, weight)
  const end = async (name: string) => {
    ends.get(name)?.()
    await setImmediate()
  }
  return { limit, began, load, end }
}

it('runs as many as it may, and then the others in the order of their arrival', async () => {
  const { limit, began, load, end } = limited({ concurrent: 2 })
  const all = ['a', 'b', 'c', 'd'].map((name) => load(name, 'cheap'))
  expect([began.join(''), limit.running, limit.waiting]).toEqual(['ab', 2, 2])
  await end('b')
  expect([began.join(''), limit.running, limit.waiting]).toEqual(['abc', 2, 1])
  for (const name of 'acd') await end(name)
  await Promise.all(all)
  expect([began.join(''), limit.running, limit.waiting]).toEqual(['abcd', 0, 0])
})

it('gives a quarter of its places to what is dear, and the rest only to what is cheap', async () => {
  const { limit, began, load, end } = limited()
  const all = ['A', 'B', 'C', 'D'].map((name) => load(name, 'dear'))
  all.push(...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => load(name, 'cheap')))
  expect([began.join(''), limit.running]).toEqual(['ABabcdef', 8])
  all.push(load('g', 'cheap'))
  // What is cheap goes first, though what is dear came before it.
  await end('A')
  expect(began.join('')).toBe('ABabcdefg')
  await end('a')
  expect(began.join('')).toBe('ABabcdefgC')
  for (const name of 'BbcdefgCD') await end(name)
  await Promise.all(all)
  expect([began.join(''), limit.running, limit.waiting]).toEqual(['ABabcdefgCD', 0, 0])
})

it('runs what is dear now and then, however much is cheap, and lets it fill half the queue at most', async () => {
  const { began, load, end } = limited({ concurrent: 2, queued: 4 })
  const all = ['a', 'b'].map((name) => load(name, 'cheap'))
  all.push(load('A', 'dear'), load('B', 'dear'))
  await expect(load('C', 'dear')).rejects.toThrow(DatabaseOverloadedError)
  all.push(load('c', 'cheap'), load('d', 'cheap'))
  await expect(load('e', 'cheap')).rejects.toThrow(DatabaseOverloadedError)
  for (const name of 'abAcBd') await end(name)
  await Promise.all(all)
  expect(began.join('')).toBe('abAcBd')
})

it('runs one that is dear also if it has few places', async () => {
  const { began, load, end } = limited({ concurrent: 1 })
  const all = [load('A', 'dear'), load('B', 'dear'), load('a', 'cheap')]
  for (const name of 'AaB') await end(name)
  await Promise.all(all)
  expect(began.join('')).toBe('AaB')
})

it.each<Weight>(['cheap', 'dear'])(
  'refuses what is %s and would wait beyond its bounds, and goes on after a failure',
  async (weight) => {
    const { limit, load, end } = limited({ concurrent: 1, queued: 1 })
    const first = load('a', weight)
    const second = load('b', weight)
    await expect(load('c', weight)).rejects.toThrow(DatabaseOverloadedError)
    await end('a')
    await end('b')
    await Promise.all([first, second])
    await expect(limit.run(() => Promise.reject(new Error('failed')), weight)).rejects.toThrow('failed')
    expect([limit.running, limit.waiting]).toEqual([0, 0])
    const soon = limited({ concurrent: 1, waitMs: 1 })
    const held = soon.load('a', weight)
    await expect(soon.load('b', weight)).rejects.toThrow(DatabaseOverloadedError)
    await soon.end('a')
    await held
    expect([soon.limit.running, soon.limit.waiting]).toEqual([0, 0])
  },
)
