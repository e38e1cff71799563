import { expect, it } from '@jest/globals'
import { buildSchema, parse, validate } from 'graphql'
import { readSchema } from '../../../src/graphql/schema/read-schema.ts'
import { Dice } from '../../integration/oracle/dice.ts'
import type { Observation, Viewer } from '../history/history.ts'
import { articleId, Content, tagId, userId } from './content.ts'
import { mutations } from './mutations.ts'
import { observeRows } from './observe.ts'
import { queries } from './queries.ts'

const schema = buildSchema(readSchema())
const VIEWERS: readonly Viewer[] = ['admin', 'visitor', 2]

it('leaves no query and no mutation of the schema out', () => {
  expect(Object.keys(queries).sort()).toEqual(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort())
  expect(Object.keys(mutations).sort()).toEqual(Object.keys(schema.getMutationType()?.getFields() ?? {}).sort())
})

it.each(Object.entries({ ...queries, ...mutations }))('asks for %s as the schema has it', (_field, make) => {
  const dice = new Dice(7)
  for (let times = 0; times < 100; times++) {
    const { query } = make(someContent(), dice, dice.pick(VIEWERS))
    expect(validate(schema, parse(query)).map(({ message }) => message)).toEqual([])
  }
})

it('sees every row in an answer, wherever it stands', () => {
  const tag = { id: tagId(7), slug: 'seven', name: 'Seven' }
  const author = { id: userId(2), username: 'ann', email: null }
  const article = { id: articleId(5), title: 'Five', viewCount: 3, author, tags: [tag] }
  const data = { articles: { nodes: [article] } }
  expect(observeRows(data)).toEqual([
    { of: 'row', row: 'articles:5', state: { title: 'Five', author_id: 2 } },
    { of: 'row', row: 'article_stats:5', state: { views: 3 } },
    { of: 'list', selection: { table: 'tags', articleId: 5 }, ids: [7], complete: true },
    { of: 'row', row: 'users:2', state: { username: 'ann' } },
    { of: 'row', row: 'tags:7', state: { slug: 'seven', name: 'Seven' } },
  ] satisfies Observation[])
})

function someContent(): Content {
  const content = new Content()
  content.learn(
    [
      { of: 'row', row: 'articles:1', state: { author_id: 2, slug: 'one' } },
      { of: 'row', row: 'tags:1', state: { slug: 'tag' } },
      { of: 'row', row: 'users:2', state: { username: 'ann' } },
    ],
    true,
  )
  return content
}
