import { expect, it } from '@jest/globals'
import { buildSchema, type GraphQLSchema, isObjectType } from 'graphql'
import { DEFAULT_PAGE_SIZE } from '../resolving/index.ts'
import { fieldPrices } from './field-prices.ts'
import { readSchema } from './read-schema.ts'

const DIRECTIVES = `
  directive @cost(weight: String!) on
    ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
  directive @listSize(
    assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true
  ) on FIELD_DEFINITION
`
const schemaOf = (types: string): GraphQLSchema => buildSchema(DIRECTIVES + types)

/** What a field costs with these arguments: for itself, and how often what is within it counts. */
function price(schema: GraphQLSchema, coordinate: string, args: Record<string, unknown> = {}) {
  const [type = '', name = ''] = coordinate.split('.')
  const owner = schema.getType(type) as { getFields(): Record<string, never> } | undefined
  const found = fieldPrices(schema, 100)(owner?.getFields()[name] as never)
  return [found?.own(args), found?.size(args)]
}

it('has a price in the schema for every field: what is free can be asked for without end', () => {
  const schema = buildSchema(readSchema())
  const priceOf = fieldPrices(schema, 100)
  const free = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
    .filter(({ field }) => !((priceOf(field)?.own({}) ?? 0) >= 1))
    .map(({ type, field }) => `${type.name}.${field.name}`)
  expect(free).toEqual([])
  expect(price(schema, 'Query.articles')).toEqual([1, DEFAULT_PAGE_SIZE])
  expect(price(schema, 'User.articles', { last: 7 })).toEqual([1, 7])
  expect(price(schema, 'Query.nodes', { ids: ['a', 'b', 'c'] })).toEqual([1, 3])
  expect(price(schema, 'Article.tags')).toEqual([1, 10])
})

it('weighs by default an object 1, a scalar and an enum nothing, and an input object 1', () => {
  const schema = schemaOf(`
    type Query { text: String color: Color thing(filter: Filter, name: String): Query }
    enum Color { RED }
    input Filter { name: String inner: Filter }
  `)
  expect(price(schema, 'Query.text')).toEqual([0, 1])
  expect(price(schema, 'Query.color')).toEqual([0, 1])
  expect(price(schema, 'Query.thing', { name: 'x', filter: null })).toEqual([1, 1])
  expect(price(schema, 'Query.thing', { filter: { name: 'x' } })).toEqual([2, 1])
  expect(price(schema, 'Query.thing', { filter: { inner: { inner: {} } } })).toEqual([4, 1])
})

it('adds up the example of the specification: arguments and input fields add to a field, and no field costs less than nothing', () => {
  const schema = schemaOf(`
    type Query {
      topProducts(filter: Filter @cost(weight: "15.0")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10)
      cheap(filters: [Filter!] @cost(weight: "0.5")): Int @cost(weight: "2")
    }
    input Filter { field: String approx: Approximate @cost(weight: "-12.0") }
    scalar Approximate
  `)
  expect(price(schema, 'Query.topProducts')).toEqual([5, 10])
  expect(price(schema, 'Query.topProducts', { filter: { field: 'x' } })).toEqual([20, 10])
  expect(price(schema, 'Query.topProducts', { filter: { field: 'x', approx: 1 } })).toEqual([8, 10])
  expect(price(schema, 'Query.cheap', { filters: [{}, { approx: 1 }] })).toEqual([0, 1])
})

it('takes the weight of a type for fields that have none, and the dearest type for an interface', () => {
  const schema = schemaOf(`
    type Query { thing: Thing near: Near far: Far own: Far @cost(weight: "2") blob: Blob }
    interface Thing { id: ID friends(first: Int): [Thing] }
    type Near implements Thing { id: ID friends(first: Int): [Thing] @listSize(assumedSize: 3) }
    type Far implements Thing @cost(weight: "9") {
      id: ID @cost(weight: "4")
      friends(first: Int): [Thing] @listSize(slicingArguments: ["first"], requireOneSlicingArgument: false)
    }
    scalar Blob @cost(weight: "6")
  `)
  expect(price(schema, 'Query.near')).toEqual([1, 1])
  expect(price(schema, 'Query.far')).toEqual([9, 1])
  expect(price(schema, 'Query.own')).toEqual([2, 1])
  expect(price(schema, 'Query.blob')).toEqual([6, 1])
  expect(price(schema, 'Thing.id')).toEqual([4, 1])
  expect(price(schema, 'Thing.friends', { first: 50 })).toEqual([1, 50])
  expect(price(schema, 'Thing.friends')).toEqual([1, 100])
})

it('takes the largest of several slices, none below nothing, and wants exactly one if the schema does', () => {
  const schema = schemaOf(`
    type Query {
      either(first: Int, last: Int): [Query]
        @listSize(assumedSize: 20, slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
      one(first: Int, last: Int): [Query] @listSize(slicingArguments: ["first", "last"])
    }
  `)
  expect(price(schema, 'Query.either', { first: 3, last: 8 })).toEqual([1, 8])
  expect(price(schema, 'Query.either', { first: -5 })).toEqual([1, 0])
  expect(price(schema, 'Query.either', { first: 2 ** 31 - 1 })).toEqual([1, 100])
  expect(price(schema, 'Query.either', { first: null })).toEqual([1, 20])
  expect(price(schema, 'Query.one', { last: 8 })).toEqual([1, 8])
  expect(() => price(schema, 'Query.one')).toThrow('one needs exactly one of first, last.')
  expect(() => price(schema, 'Query.one', { first: 1, last: 1 })).toThrow('one needs exactly one of first, last.')
})

it.each([
  ['type Query { all: [Query!]! }', 'Query.all needs a @listSize that says how long it is.'],
  [
    `type Query {
      page(first: Int): Page @listSize(slicingArguments: ["first"], sizedFields: ["nodes"])
      other: Page
    }
    type Page { nodes: [Query] }`,
    'Query.other needs a @listSize that says how long nodes is.',
  ],
  ['type Query { dear: Int @cost(weight: "much") }', 'A weight of much is no number.'],
])('takes no schema that leaves a price open: %s', (types, message) => {
  expect(() => fieldPrices(schemaOf(types), 100)).toThrow(new TypeError(message))
})
