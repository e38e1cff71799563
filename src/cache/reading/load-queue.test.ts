import { expect, it } from '@jest/globals'
import { processHolding, quiet, TinyProcess, type TinyProcessOptions } from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'

it('asks once for what ten callers want in one turn, and for each key once', async () => {
  for (const remote of [undefined, new TinyRemote()]) {
    const process = new TinyProcess({ remote })
    const keys = names(50)
    await Promise.all(Array.from({ length: 10 }, (_, caller) => process.rows.getMany(keys.slice(0, 5 * caller + 5))))
    expect(process.loads.map((load) => [...load.keys].sort())).toEqual([[...keys].sort()])
  }
})

it('gives every caller its own, in its own order', async () => {
  const process = processHolding({ a: '1', b: '2', c: '3' })
  const answers = [process.rows.getMany(['c', 'a']), process.rows.get('b'), process.rows.getMany(['x', 'b', 'c'])]
  expect(await Promise.all(answers)).toEqual([['3', '1'], '2', [undefined, '2', '3']])
})

it('asks for no more keys at once than it may', async () => {
  const process = new TinyProcess({ kind: { maxBatch: 20 } })
  await Promise.all([process.rows.getMany(names(30)), process.rows.getMany(names(50))])
  expect(process.loads.map(({ keys }) => keys.length)).toEqual([20, 20, 10])
  expect(new Set(process.loads.flatMap(({ keys }) => keys)).size).toBe(50)
})

it('fails only the caller whose key the source chokes on', async () => {
  const process = poisonable()
  const reads = [process.rows.get('a'), process.rows.getMany(['poison', 'b']), process.rows.getMany(['b', 'c'])]
  expect(await Promise.allSettled(reads)).toEqual([
    { status: 'fulfilled', value: '1' },
    { status: 'rejected', reason: new Error('choked') },
    { status: 'fulfilled', value: ['2', '3'] },
  ])
  expect(process.rows.loading).toBe(0)
})

it('asks for nothing again where one caller alone has failed', async () => {
  const process = poisonable()
  await expect(process.rows.getMany(['a', 'poison'])).rejects.toThrow('choked')
  expect(process.loads).toHaveLength(1)
})

it('does not try for ever where the source fails, however many ask for the same', async () => {
  const process = processHolding({ a: '1' })
  process.failure = new Error('database down')
  const reads = await Promise.allSettled(Array.from({ length: 50 }, () => process.rows.get('a')))
  for (const read of reads) expect(read).toMatchObject({ reason: process.failure })
  expect(process.loads).toHaveLength(2)
})

it('fails one caller for the tags of its key, too, and no other', async () => {
  const tags = (key: string) => {
    if (key === 'odd') throw new Error('no tags')
    return [`rows:${key}`]
  }
  const process = processHolding({ a: '1' }, { kind: { tags } })
  const [a, odd] = await Promise.allSettled([process.rows.get('a'), process.rows.get('odd')])
  expect(a).toMatchObject({ value: '1' })
  expect(odd).toMatchObject({ reason: new Error('no tags') })
})

it('asks the replica and the primary apart', async () => {
  const process = processHolding({ a: '1' })
  await Promise.all([process.rows.get('a'), process.rows.get('a', { bypass: true })])
  expect(process.loads.map(({ source }) => source).sort()).toEqual(['any', 'primary'])
})

it('shares no call, no flight and no entry between viewers', async () => {
  const { process, viewers } = viewed({ scope: 'viewer' })
  const all = ['me', 'you', 'me'].map((viewer) => process.rows.get('a', { viewer }))
  expect(await Promise.all(all)).toEqual(['a of me', 'a of you', 'a of me'])
  expect(viewers).toEqual(['me', 'you'])
  expect(await process.rows.get('a', { viewer: 'you' })).toBe('a of you')
  expect(viewers).toHaveLength(2)
  await process.rows.get('a', { viewer: 'you', bypass: true })
  expect(viewers.at(-1)).toBe('you')
})

for (const [one, other] of [
  ['a b', 'a'],
  ['undefined', 'null'],
  ['{}', '%7B%7D'],
  ['', '""'],
  ['me"', 'me'],
] as const) {
  it(`takes viewer ${JSON.stringify(one)} for nobody else, such as ${JSON.stringify(other)}`, async () => {
    const { process, viewers } = viewed({ scope: 'viewer' })
    await Promise.all([process.rows.get('b c', { viewer: one }), process.rows.get('c', { viewer: other })])
    await Promise.all([process.rows.get('c', { viewer: one }), process.rows.get('b c', { viewer: other })])
    expect(viewers).toHaveLength(4)
  })
}

it('falls for every viewer with the write that fells it', async () => {
  const { process, viewers } = viewed({ scope: 'viewer' })
  const read = () => Promise.all(['me', 'you'].map((viewer) => process.rows.get('a', { viewer })))
  await read()
  process.writeAndFollow('a', '2')
  await read()
  expect(viewers).toEqual(['me', 'you', 'me', 'you'])
})

it('tells no load who reads what is the same for all, and asks once for all of them', async () => {
  const { process, viewers } = viewed({ scope: 'public' })
  await Promise.all(['me', 'you'].map((viewer, index) => process.rows.get(`a${index}`, { viewer })))
  await process.rows.get('b', { viewer: 'me', bypass: true })
  expect(viewers).toEqual([undefined, undefined])
})

it('refreshes for the viewer whose entry it is', async () => {
  const { process, viewers } = viewed({ scope: 'viewer', grace: { staleWhileRevalidateMs: 1000 } })
  await process.rows.get('a', { viewer: 'me' })
  process.clock.advance(60_000)
  await process.rows.get('a', { viewer: 'me' })
  await quiet()
  expect(viewers).toEqual(['me', 'me'])
})

const names = (count: number) => Array.from({ length: count }, (_, index) => `row ${index}`)

/** A process whose source chokes on the key `poison`, whatever else it is asked for. */
function poisonable(): TinyProcess {
  const process = processHolding({ a: '1', b: '2', c: '3' })
  const { load } = process
  process.load = async (keys, source) => {
    const snapshot = await load.call(process, keys, source)
    if (keys.includes('poison')) throw new Error('choked')
    return snapshot
  }
  return process
}

/** A process whose loads bring what its viewer makes of a key, and the viewers that they were told of. */
function viewed(kind: TinyProcessOptions['kind']) {
  const viewers: (string | undefined)[] = []
  const process: TinyProcess = new TinyProcess({
    kind: {
      ...kind,
      load: async (keys, _source, viewer) => {
        viewers.push(viewer)
        const asOf = process.database.position
        return { asOf, unsettled: false, values: keys.map((key) => `${key} of ${viewer}`) }
      },
    },
  })
  return { process, viewers }
}
