import { expect, it } from '@jest/globals'
import { TinyProcess, type TinyProcessOptions } from '../../test/models/tiny-process.ts'

it('finds that an entry holds what the source holds, and stores nothing', async () => {
  const process = await holding('1')
  const entries = [...process.cache.entries()]
  expect(await process.cache.verify(entries)).toEqual(['right'])
  expect([...process.cache.entries()]).toEqual(entries)
})

it('finds an entry that stands, though a write that no tag told of changed what it is about', async () => {
  const process = await holding('1')
  process.database.write('a', '2', ['elsewhere'])
  expect(await process.cache.verify([...process.cache.entries()])).toEqual(['wrong'])
})

it('does not blame an entry for a write that has no position yet', async () => {
  const process = await holding('1')
  const entries = [...process.cache.entries()]
  process.database.write('a', '2')
  expect(await process.cache.verify(entries)).toEqual(['fallen'])
})

it('verifies what is known not to exist', async () => {
  const process = await holding(undefined)
  expect(await process.cache.verify([...process.cache.entries()])).toEqual(['right'])
})

it('says nothing of entries whose kind it does not know, or cannot read the keys of', async () => {
  const process = await holding('1')
  const [entry] = process.cache.entries()
  if (!entry) throw new Error('Nothing was cached.')
  expect(await process.cache.verify([{ ...entry, key: 'stet:other.1:a' }])).toEqual(['unknown'])
  const opaque = await holding('1', { kind: {} })
  expect(await opaque.cache.verify([...opaque.cache.entries()])).toEqual(['unknown'])
})

/** A process that has row `a` in its cache. */
async function holding(
  value: string | undefined,
  options: TinyProcessOptions = { kind: { parseKey: (text) => text } },
) {
  const process = new TinyProcess(options)
  process.writeAndFollow('a', value)
  await process.rows.get('a')
  return process
}
