import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ArticleListPage, formatList, formatSelection, parseList, parseSelection } from './article-list.ts'

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const id = fc.nat({ max: 20 })
const place = fc.record({ key: fc.string({ maxLength: 5 }), id })
const instant = fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
const list: fc.Arbitrary<ArticleListPage> = fc.record({
  selection: fc.record({
    scope: fc.oneof(fc.constantFrom('everything' as const, 'published' as const), fc.record({ ownId: id })),
    status: perhaps(fc.constantFrom('DRAFT' as const, 'PUBLISHED' as const)),
    tagId: perhaps(id),
    authorId: perhaps(id),
    search: perhaps(fc.string({ maxLength: 5 })),
    publishedAfter: perhaps(instant),
    publishedBefore: perhaps(instant),
  }),
  orderBy: fc.constantFrom('NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED'),
  page: fc.record({ limit: id, backward: fc.boolean(), after: perhaps(place), before: perhaps(place) }),
})

it(`reads back whatever it names, so that no two lists have one name (TEST_SEED=${seed})`, () => {
  fc.assert(
    fc.property(list, (one) => {
      expect(parseList(formatList(one))).toEqual(one)
      expect(parseSelection(formatSelection(one.selection))).toEqual(one.selection)
    }),
    { seed, numRuns: 500 },
  )
})
