import { expect, it } from '@jest/globals'
import { TinyProcess } from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { Cache } from '../cache.ts'
import type { KindDefinition, Snapshot } from '../kind.ts'
import { Ledger } from '../ledger/ledger.ts'

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
  [
    { grace: { staleIfErrorMs: -1 } },
    'grace.staleIfErrorMs of the kind "odd" must be milliseconds, 0 or more, not -1.',
  ],
  [{ earlyRefresh: -1 }, 'earlyRefresh of the kind "odd" must be 0 or more, not -1.'],
  [{ loadTimeout: { hardMs: 0 } }, 'loadTimeout.hardMs of the kind "odd" must be milliseconds above 0, not 0.'],
  [{ maxBytes: 0 }, 'maxBytes of the kind "odd" must be bytes above 0, not 0.'],
  [{ tiers: 'disk' as 'both' }, 'tiers of the kind "odd" must be one of memory, redis, both, not "disk".'],
  [{ scope: 'user' as 'viewer' }, 'scope of the kind "odd" must be one of public, viewer, not "user".'],
  [{ maxBatch: 1.5 }, 'maxBatch of the kind "odd" must be a whole number of keys above 0, not 1.5.'],
  [
    { negativeTtlMs: 2000 },
    'negativeTtlMs 2000 and ttlMs 1000 of the kind "odd" don\'t go together: what does not exist would outlive what does.',
  ],
  [
    { grace: { staleWhileRevalidateMs: 10, staleIfErrorMs: 5 } },
    'grace.staleIfErrorMs 5 and grace.staleWhileRevalidateMs 10 of the kind "odd" don\'t go together: as long as it is served anyway, an error makes no difference; it must be 0 or the longer one.',
  ],
  [
    { loadTimeout: { softMs: 20, hardMs: 10 } },
    'loadTimeout.softMs 20 and loadTimeout.hardMs 10 of the kind "odd" don\'t go together: the soft one must come first.',
  ],
  [
    { loadTimeout: { softMs: 20 } },
    'loadTimeout.softMs 20 and a grace of 0 of the kind "odd" don\'t go together: there is nothing stale to answer when the time is up.',
  ],
  [
    { compressAboveBytes: 1000, tiers: 'memory' },
    'compressAboveBytes 1000 and tiers "memory" of the kind "odd" don\'t go together: only what goes to the remote tier is compressed.',
  ],
  [
    { leaseMs: 1000, tiers: 'memory' },
    'leaseMs 1000 and tiers "memory" of the kind "odd" don\'t go together: who waits for another process finds what it loaded in the remote tier.',
  ],
  [
    { writeThrough: true, scope: 'viewer' },
    'writeThrough and scope "viewer" of the kind "odd" don\'t go together: a row that one viewer wrote is no answer for another.',
  ],
  [
    { refreshAhead: true, tiers: 'redis' },
    'refreshAhead and tiers "redis" of the kind "odd" don\'t go together: it is the memory tier that knows what is used most.',
  ],
] satisfies [Partial<Definition>, string][]) {
  it(`refuses a kind with ${JSON.stringify(wrong)}`, () => {
    expect(() => kindOf(wrong)).toThrow(new TypeError(message))
  })
}

it('takes an option that is undefined for one that is not given', async () => {
  const process = new TinyProcess({ kind: { madeOf: undefined, negativeTtlMs: undefined, jitter: undefined } })
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

it('takes an option within an option that is undefined for one that is not given', () => {
  const odd = { grace: { staleWhileRevalidateMs: undefined }, loadTimeout: { hardMs: undefined, softMs: undefined } }
  expect(kindOf(odd as Partial<Definition>).name).toBe('odd')
})

it('lets what does not exist live no longer than what does, where only a default says so', async () => {
  const defaults = { negativeTtlMs: 5000 }
  const process = new TinyProcess({ kind: { ttlMs: 1000 }, defaults })
  await process.rows.get('x')
  process.clock.advance(1000)
  await process.rows.get('x')
  expect(process.loads).toHaveLength(2)
})

it('does not hold against a kind what a default of the cache makes pointless', () => {
  const cache = new Cache({
    ledger: new Ledger(),
    settle: async () => {},
    defaults: { leaseMs: 500, compressAboveBytes: 100, loadTimeout: { softMs: 10 } },
  })
  const load = async () => ({ asOf: 0, unsettled: false, values: [] })
  expect(cache.kind({ name: 'near', ttlMs: 1, tiers: 'memory', key: String, tags: () => [], load }).name).toBe('near')
})

it('refuses a reader that does not say who it is, where each viewer has entries of their own', async () => {
  const kind = kindOf({ scope: 'viewer' })
  await expect(kind.get('a')).rejects.toThrow(
    'The kind "odd" has entries for each viewer: its reader must say who that is.',
  )
})

it('refuses to write through where the policy does not', () => {
  const process = new TinyProcess()
  expect(() => process.rows.writeThrough('a', '1', process.ledger.place)).toThrow(
    'The kind "row" has no writeThrough in its policy.',
  )
})

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
