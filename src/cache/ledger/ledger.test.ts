import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ANY_WRITE, softly } from './cache-tag.ts'
import { Ledger, type LogRecord } from './ledger.ts'

it('lets an entry stand until one of its tags is written', () => {
  const ledger = startedAt(0)
  const entry = entryAsOf(0, ['articles:1', 'articles'])
  ledger.advance(stretch(0, ['articles:2'], ['users:1']))
  expect(ledger.stands(entry)).toBe(true)
  ledger.advance(stretch(2, ['articles:1']))
  expect(ledger.stands(entry)).toBe(false)
})

it('lets what depends on any write stand until there is one, whatever it is', () => {
  for (const written of ['articles:1', 'articles', 'the:key', softly('tags:3')]) {
    const ledger = startedAt(0)
    ledger.advance(stretch(0, ['users:1']))
    const entry = entryAsOf(1, [ANY_WRITE])
    expect(ledger.stands(entry)).toBe(true)
    ledger.advance(stretch(1, [written]))
    // What was softened stands, and is raised to no later position.
    expect([written, ledger.stands(entry) && ledger.softenedAt(entry) === 0, entry.asOf]).toEqual([written, false, 1])
    expect(ledger.stands(entryAsOf(2, [ANY_WRITE]))).toBe(true)
  }
})

it('does not hold a write against an entry that was read after it', () => {
  const ledger = startedAt(0)
  ledger.advance(stretch(0, ['articles:1'], ['users:1']))
  expect(ledger.stands(entryAsOf(1, ['articles:1']))).toBe(true)
  expect(ledger.stands(entryAsOf(0, ['articles:1']))).toBe(false)
})

it('lets an entry read further on than it has seen stand, and judges it once it gets there', () => {
  const ledger = startedAt(0)
  const entry = entryAsOf(2, ['articles:1'])
  expect(ledger.stands(entry)).toBe(true)
  ledger.advance(stretch(0, ['articles:1'], ['articles:1']))
  expect(ledger.stands(entry)).toBe(true)
  ledger.advance(stretch(2, ['articles:1']))
  expect(ledger.stands(entry)).toBe(false)
})

it('raises what it finds to stand to the position it was found at, and nothing else', () => {
  const ledger = startedAt(0)
  ledger.advance(stretch(0, ['articles:1'], ['articles:2'], ['articles:3']))
  const standing = entryAsOf(1, ['articles:1'])
  const fallen = entryAsOf(1, ['articles:2'])
  ledger.stands(standing)
  ledger.stands(fallen)
  expect(standing.asOf).toBe(3)
  expect(fallen.asOf).toBe(1)
})

it('refuses what would leave a gap, and changes nothing', () => {
  const ledger = startedAt(5)
  const hole = { epoch: 'a', after: 5, records: [record(6, ['articles:1']), record(8, ['articles:1'])] }
  expect(ledger.advance(stretch(6, ['articles:1']))).toBe(false)
  expect(ledger.advance(hole)).toBe(false)
  expect(ledger.seen).toBe(5)
  expect(ledger.size).toBe(0)
})

it.each([
  ['follows another record than its last one', 2, 100, 1],
  ['holds another record where its last one is', 1, undefined, 2],
])('refuses what %s: it is of another past', (_, after, afterWrittenAtUs, count) => {
  const ledger = startedAt(0)
  ledger.advance({ epoch: 'a', after: 0, records: [record(1, ['articles:1']), record(2, ['articles:2'])] })
  const records = Array.from({ length: count }, (_, index) => ({
    position: after + index + 1,
    tags: ['articles:3'],
    writtenAtUs: 100 + index,
  }))
  expect(ledger.advance({ epoch: 'a', after, afterWrittenAtUs, records })).toBe(false)
  expect(ledger.seen).toBe(2)
})

it('takes from an overlapping stretch only what is news to it', () => {
  const ledger = startedAt(0)
  ledger.advance(stretch(0, ['articles:1'], ['articles:2']))
  expect(ledger.advance(stretch(0, ['articles:1'], ['articles:2'], ['articles:3']))).toBe(true)
  expect(ledger.seen).toBe(3)
  expect(ledger.advance(stretch(0, ['articles:1']))).toBe(true)
  expect(ledger.seen).toBe(3)
  expect(ledger.stands(entryAsOf(1, ['articles:1']))).toBe(true)
})

it('tells when the last record it saw was written', () => {
  const ledger = startedAt(0)
  expect(ledger.lastHeld).toEqual({ position: 0, writtenAtUs: undefined })
  ledger.advance(stretch(0, ['articles:1'], ['articles:2']))
  expect(ledger.lastHeld).toEqual({ position: 2, writtenAtUs: record(2, []).writtenAtUs })
  ledger.restart('a', 1)
  expect(ledger.lastHeld).toEqual({ position: 1, writtenAtUs: undefined })
})

it('has seen no more than whole runs: what stands is not raised into one', () => {
  const ledger = startedAt(0)
  const entry = entryAsOf(0, ['articles:1'])
  expect(ledger.advance({ ...stretch(0, ['articles:2']), isWhole: false })).toBe(true)
  expect(ledger.lastHeld.position).toBe(1)
  expect([ledger.seen, ledger.stands(entry), entry.asOf]).toEqual([0, true, 0])
  expect(ledger.stands(entryAsOf(0, ['articles:2']))).toBe(false)
  ledger.advance(stretch(1, ['articles:3']))
  expect([ledger.seen, ledger.stands(entry), entry.asOf]).toEqual([2, true, 2])
})

it('has seen a run whose last records came by themselves', () => {
  const ledger = startedAt(0)
  ledger.advance({ ...stretch(0, ['articles:1'], ['articles:2']), isWhole: false })
  ledger.advance({ ...stretch(0, ['articles:1'], ['articles:2']), isWhole: true })
  expect(ledger.seen).toBe(2)
})

it('tells at which positions the database held an entry', () => {
  const ledger = startedAt(4)
  ledger.advance(stretch(4, ['articles:1'], ['articles:2'], ['articles:3'], ['articles:2']))
  expect(ledger.spanOf(entryAsOf(5, ['articles:1']))).toEqual({ from: 5, to: 8 })
  expect(ledger.spanOf(entryAsOf(7, ['articles:1', 'articles:3']))).toEqual({ from: 7, to: 8 })
  expect(ledger.spanOf(entryAsOf(7, ['articles:4']))).toEqual({ from: 4, to: 8 })
  // It was written twice, and the ledger knows the last time alone.
  expect(ledger.spanOf(entryAsOf(5, ['articles:2']))).toEqual({ from: 5, to: 5 })
  // Before what it remembers, and after.
  expect(ledger.spanOf(entryAsOf(3, ['articles:4']))).toEqual({ from: 3, to: 3 })
  expect(ledger.spanOf(entryAsOf(9, ['articles:4']))).toEqual({ from: 9, to: 9 })
})

it('lets nothing of another epoch stand, and takes no records of one', () => {
  const ledger = startedAt(0)
  const entry = entryAsOf(0, ['articles:1'])
  expect(ledger.advance({ ...stretch(0, ['articles:2']), epoch: 'b' })).toBe(false)
  ledger.restart('b', 0)
  expect(ledger.stands(entry)).toBe(false)
})

it('lets nothing stand before the log was first read', () => {
  expect(new Ledger().stands({ key: 'k', epoch: '', asOf: 7, tags: [] })).toBe(false)
})

it('lets nothing stand that was read before the position it began anew at', () => {
  const ledger = startedAt(0)
  ledger.advance(stretch(0, ['articles:1']))
  ledger.restart('a', 10)
  expect(ledger.stands(entryAsOf(9, ['users:1']))).toBe(false)
  expect(ledger.stands(entryAsOf(10, ['users:1']))).toBe(true)
})

it('does not judge the entries of one epoch by what was written in another', () => {
  const ledger = startedAt(0)
  ledger.advance(stretch(0, ['users:1'], ['users:1'], ['articles:1']))
  ledger.restart('b', 0)
  ledger.advance({ ...stretch(0, ['users:1']), epoch: 'b' })
  expect(ledger.stands({ ...entryAsOf(0, ['articles:1']), epoch: 'b' })).toBe(true)
})

it('forgets the tags written longest ago beyond its bound, and lets nothing stand that they might have felled', () => {
  const ledger = startedAt(0, { maxTags: 4 })
  ledger.advance(stretch(0, ['a:1'], ['a:2'], ['a:1'], ['a:3']))
  expect(ledger.size).toBe(2)
  expect(ledger.floor).toBe(2)
  expect(ledger.stands(entryAsOf(1, ['a:2']))).toBe(false)
  expect(ledger.stands(entryAsOf(2, ['a:2']))).toBe(true)
  expect(ledger.stands(entryAsOf(2, ['a:1']))).toBe(false)
})

it('holds what a purge of one key felled against that entry alone', () => {
  const ledger = startedAt(0)
  ledger.advance(stretch(0, ['stet:row:a']))
  expect(ledger.stands({ ...entryAsOf(0, ['rows']), key: 'stet:row:a' })).toBe(false)
  expect(ledger.stands({ ...entryAsOf(0, ['rows']), key: 'stet:row:b' })).toBe(true)
})

it('lets what was written softly stand, and remembers since when', () => {
  const ledger = startedAt(0)
  const entry = entryAsOf(0, ['a:1', 'a'])
  ledger.advance(stretch(0, ['a:2'], [softly('a')], ['a:3'], [softly('a:1')]))
  expect(ledger.stands(entry)).toBe(true)
  expect(ledger.softenedAt(entry)).toBe(4)
  expect(ledger.softenedAt(entryAsOf(2, ['a']))).toBe(0)
  ledger.advance(stretch(4, ['b:1']))
  expect([ledger.stands(entry), ledger.softenedAt(entry)]).toEqual([true, 4])
  ledger.advance(stretch(5, ['a:1']))
  expect(ledger.stands(entry)).toBe(false)
})

it('lets nothing stand that what was softened longest ago might concern', () => {
  const ledger = startedAt(0, { maxTags: 2 })
  ledger.advance(stretch(0, [softly('a:1')], [softly('a:2')], [softly('a:3')], [softly('a:4')]))
  expect(ledger.stands(entryAsOf(0, ['a:1']))).toBe(false)
})

it('counts the records that hold one of some tags, as far back as it remembers', () => {
  const ledger = startedAt(5)
  const place = ledger.place
  ledger.advance(stretch(5, ['a:1', 'a:any'], ['b:1'], [softly('a:1')], ['a:1', 'a:*']))
  expect(ledger.recordsSince(place, ['a:1', 'a:*'])).toBe(3)
  expect(ledger.recordsSince({ epoch: 'a', position: 6 }, ['a:any'])).toBe(0)
  expect(ledger.recordsSince(place, ['a:1', ANY_WRITE])).toBe(4)
  expect(ledger.recordsSince({ epoch: 'a', position: 4 }, ['a:1'])).toBeUndefined()
  expect(ledger.recordsSince({ epoch: 'b', position: 5 }, ['a:1'])).toBeUndefined()
})

it('forgets records beyond its bound, and says so', () => {
  const ledger = startedAt(0)
  for (let after = 0; after < 2500; after++) ledger.advance(stretch(after, ['a:1']))
  expect(ledger.recordsSince({ epoch: 'a', position: 0 }, ['a:1'])).toBeUndefined()
  expect(ledger.recordsSince({ epoch: 'a', position: 2400 }, ['a:1'])).toBe(100)
})

it('agrees with a ledger that keeps everything, whatever arrives in whatever order', () => {
  const tags = fc.subarray(['a', 'a:1', 'a:2', 'a:*', 'b', 'b:1'], { minLength: 1 })
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), tags }),
    fc.record({ do: fc.constant('hear' as const), from: fc.nat(60), length: fc.nat(6) }),
    fc.record({ do: fc.constant('read' as const), tags, ahead: fc.integer({ min: -5, max: 5 }) }),
    fc.record({ do: fc.constant('restart' as const), back: fc.nat(8) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 7 }), (steps, maxTags) => {
      const log: LogRecord[] = []
      const ledger = startedAt(0, { maxTags })
      const entries: { key: string; asOf: number; read: number; tags: readonly string[]; epoch: string }[] = []
      for (const taken of steps) {
        if (taken.do === 'write') log.push(record(log.length + 1, taken.tags))
        if (taken.do === 'hear') {
          const seen = ledger.seen
          const records = log.slice(taken.from, taken.from + taken.length)
          const gapless = taken.from <= seen
          expect(ledger.advance({ epoch: 'a', after: taken.from, records })).toBe(gapless)
          expect(ledger.seen).toBe(gapless ? Math.max(seen, records.at(-1)?.position ?? 0) : seen)
        }
        if (taken.do === 'read') {
          const asOf = Math.min(log.length, Math.max(0, ledger.seen + taken.ahead))
          entries.push({ key: 'k', epoch: 'a', asOf, read: asOf, tags: taken.tags })
        }
        if (taken.do === 'restart') ledger.restart('a', Math.max(0, log.length - taken.back))
        for (const entry of entries) {
          const fallen = log.some(
            ({ position, tags }) =>
              position > entry.read && position <= ledger.seen && tags.some((tag) => entry.tags.includes(tag)),
          )
          const known = entry.asOf >= ledger.floor
          expect(ledger.stands(entry)).toBe(known && !fallen)
        }
        expect(ledger.size).toBeLessThanOrEqual(maxTags)
      }
    }),
    { numRuns: 500 },
  )
})

function startedAt(position: number, options?: { readonly maxTags: number }): Ledger {
  const ledger = new Ledger(options)
  ledger.restart('a', position)
  return ledger
}

function entryAsOf(asOf: number, tags: readonly string[]) {
  return { key: 'k', epoch: 'a', asOf, tags }
}

function record(position: number, tags: readonly string[]): LogRecord {
  return { position, tags, writtenAtUs: 1_000_000 + position }
}

function stretch(after: number, ...tags: (readonly string[])[]) {
  return { epoch: 'a', after, records: tags.map((names, index) => record(after + index + 1, names)) }
}
