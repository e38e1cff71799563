import { expect, it } from '@jest/globals'
import { processHolding } from '../../test/models/tiny-process.ts'
import { type EntryExplanation, explainEntry } from './explain-entry.ts'
import { judge } from './judgement.ts'
import { softly } from './ledger/cache-tag.ts'
import { Ledger } from './ledger/ledger.ts'
import { resolvePolicy } from './policy.ts'

it('says that an entry stands, and for how long it is fresh', () => {
  expect(explain(ledgerWith(['articles:2']), { nowMs: 40_000 })).toEqual({
    key: 'article:1',
    standing: 'standing',
    why: 'Nothing that it depends on was written since it was read.',
    asOf: 0,
    epoch: 'a',
    ageMs: 40_000,
    ttlMs: 20_000,
    tags: ['articles:1', 'articles'],
  })
})

it('names the last record that felled it, and all of its tags in that', () => {
  const story = explain(ledgerWith(['articles:1'], ['articles:2'], ['users:1', 'articles', 'articles:1'], ['users:1']))
  expect(story).toMatchObject({
    standing: 'fallen',
    why: 'articles:1, articles was written at 3, and it is as of 0.',
    by: { position: 3, tags: ['articles:1', 'articles'] },
  })
})

it('tells a purge by its key from a write', () => {
  expect(explain(ledgerWith(['article:1']))).toMatchObject({
    standing: 'fallen',
    why: 'It was purged by its key at 1, and it is as of 0.',
  })
})

it('says that it is of another history, or from before what is remembered', () => {
  const other = new Ledger()
  other.restart('b', 0)
  expect(explain(other)).toMatchObject({
    standing: 'fallen',
    why: expect.stringContaining('its epoch is a, and the log'),
  })
  const pruned = new Ledger()
  pruned.restart('a', 7)
  const why = 'It is as of 0, and what was written at or before 7 is forgotten.'
  expect(explain(pruned)).toMatchObject({ standing: 'fallen', why })
})

it.each([
  [60_500, 'stale', 'Its time to live ended 0.5 s ago: it may be served while it is refreshed.'],
  [75_000, 'stale', 'Its time to live ended 15.0 s ago: it may be served where its load fails or is slow.'],
  [95_000, 'dead', 'Its time to live ended 35.0 s ago, and its grace is over.'],
])('says at %i ms that it is %s', (nowMs, standing, why) => {
  expect(explain(ledgerWith(['users:1']), { nowMs })).toMatchObject({ standing, why })
})

it('says what softened it, and who is owed something newer', () => {
  const ledger = ledgerWith([softly('articles:1')], ['users:1'])
  const by = { position: 1, tags: ['articles:1'] }
  const why = 'articles:1 was written softly at 1: it may be served while it is refreshed.'
  expect(explain(ledger)).toMatchObject({ standing: 'stale', why, by })
  expect(explain(ledger, { position: 2 })).toMatchObject({
    standing: 'dead',
    why: 'articles:1 was written softly at 1, and this reader is owed something newer.',
    by,
  })
})

it('marks nothing', async () => {
  const process = processHolding({ a: '1', b: '1' })
  await process.rows.get('a')
  process.writeAndFollow('b', '2')
  const { memory } = await process.rows.look(process.rows.keyOf('a'))
  const before = { ...memory }
  expect(memory && process.rows.explain(memory)).toMatchObject({ standing: 'standing' })
  expect(memory).toEqual(before)
})

it('gives the same judgement of all that is alike, so that to judge allocates nothing', () => {
  const rules = { ledger: ledgerWith([softly('articles:1')]), grace: POLICY.grace }
  const judged = (nowMs: number) => judge({ ...ENTRY }, nowMs, rules)
  expect(judged(0)).toBe(judged(1))
  expect(judged(0)).toEqual({ is: 'stale', by: 'soft write', isUsable: true })
})

const POLICY = resolvePolicy(
  { ttlMs: 60_000, grace: { staleWhileRevalidateMs: 10_000, staleIfErrorMs: 30_000 } },
  {},
  'this test',
)
const ENTRY = {
  key: 'article:1',
  epoch: 'a',
  asOf: 0,
  tags: ['articles:1', 'articles'],
  value: 1,
  loadMs: 1,
  storedAtMs: 0,
  staleAtMs: 60_000,
}

function explain(ledger: Ledger, { nowMs = 0, position = 0 } = {}): EntryExplanation {
  const judgement = judge({ ...ENTRY }, nowMs, { ledger, grace: POLICY.grace }, { position })
  return explainEntry(ENTRY, judgement, { ledger, nowMs })
}

/** Stands at the end of a log with these records. */
function ledgerWith(...records: readonly string[][]): Ledger {
  const ledger = new Ledger()
  ledger.restart('a', 0)
  ledger.advance({
    epoch: 'a',
    after: 0,
    records: records.map((tags, index) => ({ position: index + 1, tags, writtenAtUs: index })),
  })
  return ledger
}
