import { expect, it } from '@jest/globals'
import { TinyProcess } from '../../test/models/tiny-process.ts'
import { TinyRemote } from '../../test/models/tiny-remote.ts'
import { Cache } from './cache.ts'
import type { KindDefinition, Snapshot } from './kind.ts'
import { Ledger } from './ledger.ts'

type Definition = KindDefinition<string, string>

for (const [wrong, message] of [
  [
    { name: 'Articles by tag' },
    'A kind\'s name must be a word such as "article" or "article-list", not "Articles by tag".',
  ],
  [{ ttlMs: 0 }, 'ttlMs of the kind "odd" must be milliseconds above 0, not 0.'],
  [{ ttlMs: Number.NaN }, 'ttlMs of the kind "odd" must be milliseconds above 0, not NaN.'],
  [{ ttlMs: Number.POSITIVE_INFINITY }, 'ttlMs of the kind "odd" must be milliseconds above 0, not Infinity.'],
  [{ negativeTtlMs: -1 }, 'negativeTtlMs of the kind "odd" must be milliseconds above 0, not -1.'],
  [{ jitter: 1 }, 'jitter of the kind "odd" must be at least 0 and below 1, not 1.'],
  [{ version: 1.5 }, 'version of the kind "odd" must be a whole number, not 1.5.'],
] satisfies [Partial<Definition>, string][]) {
  it(`refuses a kind with ${JSON.stringify(wrong)}`, () => {
    expect(() => kindOf(wrong)).toThrow(new TypeError(message))
  })
}

it('takes an option that is undefined for one that is not given', async () => {
  const process = new TinyProcess({ kind: { version: undefined, negativeTtlMs: undefined, jitter: undefined } })
  expect(await process.rows.get('a')).toBeUndefined()
  const cache = new Cache({ ledger: new Ledger(), settle: async () => {}, clock: undefined, namespace: undefined })
  expect(cache.memoryBytes).toBe(0)
})

it('refuses two kinds of one name', () => {
  const process = new TinyProcess()
  expect(() => kindOf({ name: 'row' }, process)).toThrow('This cache already has a kind named "row".')
})

for (const memoryMaxBytes of [0, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY]) {
  it(`refuses a memory tier of ${memoryMaxBytes} bytes`, () => {
    const options = { ledger: new Ledger(), settle: async () => {}, memoryMaxBytes }
    expect(() => new Cache(options)).toThrow(
      `memoryMaxBytes must be a whole number of bytes above 0, not ${memoryMaxBytes}.`,
    )
  })
}

it('does not take a value too few for one that is known not to exist', async () => {
  const kind = kindBringing({ asOf: 0, unsettled: false, values: [] })
  await expect(kind.get('a')).rejects.toThrow('The load of "odd" was asked for 1 values and brought 0.')
})

for (const asOf of [Number.NaN, '12', undefined, -1]) {
  it(`refuses a load that is as of ${JSON.stringify(asOf) ?? 'nothing'}: it could not be judged`, async () => {
    const kind = kindBringing({ asOf: asOf as number, unsettled: false, values: ['1'] })
    await expect(kind.get('a')).rejects.toThrow('must say which log position it read as of')
  })
}

it('fails where a value cannot be stored, and keeps nothing of it', async () => {
  const process = new TinyProcess({ remote: new TinyRemote() })
  const kind = process.cache.kind({
    name: 'odd',
    key: (key: string) => key,
    tags: () => [],
    load: async () => ({ asOf: 0, unsettled: false, values: [{ run: Symbol('run') }] }),
    ttlMs: 1000,
  })
  await expect(kind.get('a')).rejects.toThrow('symbol')
  expect(process.cache.memoryBytes).toBe(0)
})

it('fails where tags or keys throw, and leaves no load behind', async () => {
  let odd = true
  const once = () => {
    if (!odd) return []
    odd = false
    throw new Error('no tags')
  }
  const process = new TinyProcess({ kind: { tags: once } })
  await expect(process.rows.get('a')).rejects.toThrow('no tags')
  expect(await process.rows.get('a')).toBeUndefined()
})

function kindOf(definition: Partial<Definition>, process = new TinyProcess()) {
  return process.cache.kind<string, string>({
    name: 'odd',
    key: (key) => key,
    tags: () => [],
    load: (keys, source) => process.load(keys, source),
    ttlMs: 1000,
    ...definition,
  })
}

function kindBringing(snapshot: Snapshot<string>) {
  return kindOf({ load: async () => snapshot })
}
