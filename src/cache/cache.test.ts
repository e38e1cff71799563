import { expect, it } from '@jest/globals'
import { TinyProcess } from '../../test/models/tiny-process.ts'

it('caches a function, by its key, until a tag of its result falls', async () => {
  const { process, find, calls } = wrapped()
  process.writeAndFollow('a', 'one')
  expect(await find('a')).toBe('one')
  expect(await find('a')).toBe('one')
  expect(await find('b')).toBe('none')
  expect(calls).toEqual(['a', 'b'])
  process.writeAndFollow('a', 'two')
  expect(await find('a')).toBe('two')
})

it('caches a function that finds nothing', async () => {
  const process = new TinyProcess()
  let calls = 0
  const options = { name: 'nothing', key: () => 'k', tags: () => ['rows:a'], ttlMs: 1000 }
  const find = process.cache.wrap(async () => void calls++, options)
  expect([await find(), await find()]).toEqual([undefined, undefined])
  expect(calls).toBe(1)
})

it('does not keep what a wrapped function read before a write that its tags name', async () => {
  const { process, find, calls } = wrapped(() => process.database.write('a', 'two'))
  process.writeAndFollow('a', 'one')
  await find('a')
  // Twice more, because each result may show the write or not.
  expect(calls).toEqual(['a', 'a', 'a'])
  expect(process.ledger.seen).toBe(process.database.position)
  await find('a')
  expect(calls).toEqual(Array(6).fill('a'))
})

it('rejects with the error of a wrapped function, and calls it again the next time', async () => {
  const process = new TinyProcess()
  let calls = 0
  const fail = async () => {
    calls++
    throw new Error('no luck')
  }
  const find = process.cache.wrap(fail, { name: 'failing', key: () => 'k', tags: () => [], ttlMs: 1000 })
  await expect(find()).rejects.toThrow('no luck')
  await expect(find()).rejects.toThrow('no luck')
  expect(calls).toBe(2)
})

it('calls a wrapped function once for all who call it meanwhile', async () => {
  const { process, find, calls } = wrapped()
  process.writeAndFollow('a', 'one')
  expect(await Promise.all([find('a'), find('a')])).toEqual(['one', 'one'])
  expect(calls).toEqual(['a'])
})

it('finds kinds by name, and their values by keys as text', async () => {
  const process = new TinyProcess({ kind: { parseKey: (text) => text } })
  process.writeAndFollow('a', 'one')
  const { cache } = process
  expect(cache.kinds.map(({ name }) => name)).toEqual(['row'])
  expect(await cache.find('row')?.getByText(['b', 'a'])).toEqual([undefined, 'one'])
  const found = [...cache.entries()].map(({ key }) => key.startsWith(cache.find('row')?.prefix ?? 'none'))
  expect(found).toEqual([true, true])
  expect(cache.find('column')).toBeUndefined()
  expect(new TinyProcess().cache.find('row')?.getByText(['a'])).toBeUndefined()
})

function wrapped(meanwhile = () => {}) {
  const process = new TinyProcess()
  const calls: string[] = []
  const find = process.cache.wrap(
    async (key: string) => {
      calls.push(key)
      const [value = 'none'] = process.database.snapshot([key]).values
      meanwhile()
      return value
    },
    { name: 'found', key: (key) => key, tags: (_, key) => [`rows:${key}`], ttlMs: 1000 },
  )
  return { process, find, calls }
}
