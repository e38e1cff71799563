import { expect, it } from '@jest/globals'
import { buildSchema, type DocumentNode, getOperationAST, getVariableValues, parse } from 'graphql'
import { KnownComplexities } from './limit-complexity.ts'

const schema = buildSchema(`
  type Query {
    list(first: Int, ids: [ID!], after: String, deep: Boolean, filter: Filter, filters: [Filter]): String
  }
  input Filter { name: String size: String inner: Filter }
`)

it('counts once whatever cursor is given, and again where a number, a condition or a length is another', () => {
  const count = counter(
    'query ($first: Int = 5, $ids: [ID!], $after: String, $deep: Boolean) { list(first: $first, ids: $ids, after: $after) list @skip(if: $deep) }',
  )
  expect(count({ after: 'a' })).toBe(1)
  expect(count({ after: 'b' })).toBe(1)
  expect(count({ after: 'b', first: 5 })).toBe(1)
  expect(count({})).toBe(2)
  expect(count({ after: null })).toBe(3)
  expect(count({ after: 'a', first: 6 })).toBe(4)
  expect(count({ after: 'a', ids: ['a', 'b'] })).toBe(5)
  expect(count({ after: 'a', ids: ['c', 'd'] })).toBe(5)
  expect(count({ after: 'a', ids: ['c'] })).toBe(6)
  expect(count({ after: 'a', deep: true })).toBe(7)
  expect(count({ after: 'a', deep: false })).toBe(8)
})

it('counts again where an input object has other fields', () => {
  const count = counter('query ($filter: Filter, $filters: [Filter]) { list(filter: $filter, filters: $filters) }')
  expect(count({ filter: { name: 'a' } })).toBe(1)
  expect(count({ filter: { name: 'b' } })).toBe(1)
  expect(count({ filter: { size: 'b' } })).toBe(2)
  expect(count({ filter: { name: 'a', inner: { name: 'a' } } })).toBe(3)
  expect(count({ filter: { name: 'a', inner: { size: 'a' } } })).toBe(4)
  expect(count({ filters: [{ name: 'a' }, {}] })).toBe(5)
  expect(count({ filters: [{ name: 'a' }, { name: 'a' }] })).toBe(6)
})

it('tells operations and documents apart', () => {
  const text = 'query A { list } query B { a: list b: list }'
  const [one, other] = [counter(text), counter(text)]
  expect([one({}, 'A'), one({}, 'B'), one({}, 'A')]).toEqual([1, 2, 1])
  expect(other({}, 'A')).toBe(1)
})

it('keeps nothing of what could not be counted', () => {
  const count = counter('query ($first: Int) { list(first: $first) }')
  const fail = () => count({}, undefined, new Error('too bad'))
  expect(fail).toThrow('too bad')
  expect(fail).toThrow('too bad')
  expect(count({})).toBe(1)
})

it('keeps little of one document', () => {
  const count = counter('query ($first: Int) { list(first: $first) }')
  for (let first = 0; first < 32; first++) count({ first })
  expect(count({ first: 0 })).toBe(1)
  expect(count({ first: 32 })).toBe(33)
  expect(count({ first: 0 })).toBe(34)
})

/** Counts how often it had to count. */
function counter(text: string) {
  const known = new KnownComplexities()
  const document: DocumentNode = parse(text)
  let counted = 0
  return (variables: Record<string, unknown>, name?: string, failure?: Error) => {
    const operation = getOperationAST(document, name)
    if (!operation) throw new Error(`There is no ${name}.`)
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables)
    if (!coerced) throw errors[0]
    return known.recall(document, operation, coerced, () => {
      if (failure) throw failure
      return ++counted
    })
  }
}
