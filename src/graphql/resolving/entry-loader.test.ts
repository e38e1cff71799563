import { expect, it } from '@jest/globals'
import { processHolding, quiet } from '../../../test/models/tiny-process.ts'
import { softly } from '../../cache/index.ts'
import { EntryLoader } from './entry-loader.ts'

it('returns at once what memory holds, and loads the rest in one batch', async () => {
  const { rows, loads } = await holding({ a: '1', b: '2' }, ['a'])
  const loader = new EntryLoader(rows, {})
  expect(loader.load('a')).toBe('1')
  const coming = [loader.load('b'), loader.load('x'), loader.load('b')]
  expect(coming).toEqual([expect.any(Promise), expect.any(Promise), expect.any(Promise)])
  expect(await Promise.all(coming)).toEqual(['2', undefined, '2'])
  expect(loads.slice(1)).toEqual([{ keys: ['b', 'x'], source: 'any' }])
  expect([loader.load('b'), loader.load('x')]).toEqual(['2', undefined])
})

it.each([
  ['and shows what was', ['1', undefined, '1', '1', undefined], 1, false],
  ['or reads all of it again, if something was read that was written later', ['2', '2', '2', '2', '2'], 2, true],
])(
  'returns the same value again within a snapshot even if it is written meanwhile, %s',
  async (_, shown, times, isLater) => {
    const process = await holding({ a: '1', b: '1' }, ['a', 'x'])
    let attempts = 0
    const { value } = await process.cache.snapshot(async (reader) => {
      const loader = new EntryLoader(process.rows, reader)
      const before = [loader.load('a'), loader.load('x')]
      if (++attempts === 1) {
        process.writeAndFollow('a', '2')
        process.writeAndFollow('x', '2')
        if (isLater) process.writeAndFollow('b', '2')
      }
      return Promise.all([...before, loader.load('b'), loader.load('a'), loader.load('x')])
    })
    expect([value, attempts]).toEqual([shown, times])
  },
)

it('shows no row with two values because it was refreshed meanwhile: then all is read again', async () => {
  const grace = { staleWhileRevalidateMs: 60_000, staleIfErrorMs: 60_000 }
  const process = processHolding({ a: '1', b: '1' }, { kind: { grace } })
  await process.rows.get('a')
  process.writeAndFollow('a', '2', [softly('rows:a')])
  let attempts = 0
  const { value } = await process.cache.snapshot(async (reader) => {
    attempts++
    const loader = new EntryLoader(process.rows, reader)
    const first = loader.load('a')
    await quiet()
    return Promise.all([first, loader.load('b'), loader.load('a')])
  })
  expect([value, attempts]).toEqual([['2', '1', '2'], 2])
})

it('counts and tells an entry once for each snapshot, however often it is loaded', async () => {
  const told: string[] = []
  const counted: string[] = []
  const process = processHolding(
    { a: '1' },
    { observer: { onRequest: (...what) => void counted.push(what.join(' ')) } },
  )
  await process.rows.get('a')
  counted.length = 0
  for (const _ of [1, 2]) {
    process.cache.snapshot(
      (reader) => {
        const loader = new EntryLoader(process.rows, reader)
        return Array.from({ length: 20 }, () => loader.load('a'))
      },
      { onRead: (kind, { value }) => void told.push(`${kind} ${value}`) },
    )
  }
  expect([told, counted]).toEqual([
    ['row 1', 'row 1'],
    ['row memory hit', 'row memory hit'],
  ])
})

it('returns the same value again for a key that was loaded, even if it was written meanwhile and is not kept', async () => {
  const process = await holding({ a: '1' }, [])
  const loader = new EntryLoader(process.rows, { bypass: true })
  expect(await loader.load('a')).toBe('1')
  process.writeAndFollow('a', '2')
  expect(await loader.load('a')).toBe('1')
  expect(process.loads).toHaveLength(1)
})

it('loads what memory holds for a reader that bypasses the cache', async () => {
  const { rows, loads } = await holding({ a: '1' }, ['a'])
  expect(await new EntryLoader(rows, { bypass: true }).load('a')).toBe('1')
  expect(loads).toHaveLength(2)
})

it('fails again for a key that failed', async () => {
  const process = await holding({ a: '1' }, [])
  const loader = new EntryLoader(process.rows, {})
  process.failure = new Error('source down')
  await expect(loader.load('a')).rejects.toThrow('source down')
  process.failure = undefined
  await expect(loader.load('a')).rejects.toThrow('source down')
})

async function holding(rows: Readonly<Record<string, string>>, inMemory: readonly string[]) {
  const process = processHolding(rows)
  await process.rows.getMany(inMemory)
  return process
}
