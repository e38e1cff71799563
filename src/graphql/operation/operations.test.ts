import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { buildSchema } from 'graphql'
import { AMPLE } from '../../../test/models/request-limits.ts'
import { DocumentStore } from './document-store.ts'
import { Operations } from './operations.ts'

const DIRECTIVE = `
  directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
  enum CacheControlScope { PUBLIC PRIVATE }`

/** A hint stands, or not, at each `@`. */
const SCHEMA = `
  type Query { a: A @  b: B @  all: [B!]! @  some: [I!]! @  either: [U!]! @  word: String @  again: A @ }
  type A @ { name: String @  b: B @  bs: [[B]] @  deep: A @ }
  type B implements I @ { id: ID @  note: String @  a: A @  page: Page @ }
  type C implements I @ { id: ID @  c: Int @ }
  interface I @ { id: ID }
  union U @ = A | C
  type Page @ { size: Int @  owner: B @ }`

const DOCUMENTS = [
  '{ word }',
  '{ a { name } }',
  '{ a { __typename b { id } } }',
  '{ a { deep { deep { name } } } again { b { page { size } } } }',
  '{ b { page { owner { id note } size } } }',
  '{ all { a { bs { note } } } word }',
  '{ some { id ... on C { c } } }',
  '{ some { __typename ...B } } fragment B on B { note page { size } }',
  '{ either { ... on A { name } ... on C { id c } } }',
  'query Q { b { ...X } } fragment X on B { id a { ...Y } } fragment Y on A { name }',
]

const hint = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 6,
    arbitrary: fc
      .record({
        maxAge: fc.option(fc.constantFrom(0, 1, 30, 60, 600), { nil: undefined }),
        scope: fc.option(fc.constantFrom('PUBLIC', 'PRIVATE'), { nil: undefined, freq: 2 }),
        inheritMaxAge: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
      })
      .map((given) => {
        const said = Object.entries(given).filter(([, value]) => value !== undefined)
        return said.length > 0 ? `@cacheControl(${said.map(([name, value]) => `${name}: ${value}`)})` : ''
      }),
  },
)

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

it(`finds in a document the policy that Apollo finds by running it (TEST_SEED=${seed})`, async () => {
  const hints = fc.array(hint, { minLength: SCHEMA.split('@').length - 1, maxLength: SCHEMA.split('@').length - 1 })
  let cacheable = 0
  const property = fc.asyncProperty(hints, async (given) => {
    let next = 0
    const typeDefs = DIRECTIVE + SCHEMA.replace(/@/g, () => given[next++] ?? '')
    const operations = new Operations(AMPLE, buildSchema(typeDefs))
    const apollo = new ApolloServer({ typeDefs, resolvers, plugins: [ApolloServerPluginCacheControl()] })
    for (const query of DOCUMENTS) {
      const { http, body } = await apollo.executeOperation({ query })
      expect(body).toMatchObject({ singleResult: { data: expect.anything() } })
      expect(body).not.toMatchObject({ singleResult: { errors: expect.anything() } })
      const theirs = http.headers.get('cache-control')
      const operation = operations.find(query, undefined)
      const ours =
        operation && operation.maxAge > 0
          ? `max-age=${operation.maxAge}, ${operation.isPrivate ? 'private' : 'public'}`
          : 'no-store'
      expect([typeDefs, query, ours]).toEqual([typeDefs, query, theirs])
      if (ours !== 'no-store') cacheable++
    }
    await apollo.stop()
  })
  await fc.assert(property, { seed, numRuns: 60, endOnFailure: false })
  expect(cacheable).toBeGreaterThan(20)
}, 120_000)

const operation = (query: string, types: string) =>
  new Operations(AMPLE, buildSchema(DIRECTIVE + types)).find(query, undefined)

it('takes the least of what may be behind an interface, whatever will be', () => {
  const types = `
    type Query { some: I @cacheControl(maxAge: 60) }
    interface I { id: ID }
    type B implements I { id: ID @cacheControl(maxAge: 30) }
    type C implements I { id: ID @cacheControl(scope: PRIVATE) }`
  expect(operation('{ some { id } }', types)).toMatchObject({ maxAge: 30, isPrivate: true })
  expect(operation('{ some { __typename ... on B { id } } }', types)).toMatchObject({ maxAge: 30, isPrivate: false })
})

it('counts what may be skipped, and keeps what the schema says of itself', () => {
  const types = 'type Query { open: Int @cacheControl(maxAge: 60), closed: Int }'
  expect(operation('query ($no: Boolean!) { open closed @include(if: $no) }', types)).toMatchObject({ maxAge: 0 })
  expect(operation('{ open __typename }', types)).toMatchObject({ maxAge: 60 })
  expect(operation('{ __schema { types { name } } }', types)?.maxAge).toBeGreaterThan(60)
})

it('finds nothing to keep in what cannot be run', () => {
  const types =
    'type Query { open: Int @cacheControl(maxAge: 60) } type Mutation { open: Int @cacheControl(maxAge: 60) }'
  expect(operation('{ nothing }', types)).toMatchObject({ maxAge: 0 })
  expect(operation('{', types)).toBeUndefined()
  expect(operation('query A { open } query B { open }', types)).toBeUndefined()
  expect(operation('mutation { open }', types)).toMatchObject({ type: 'mutation' })
})

/** Of everything one, and of what is behind an interface or a union each: Apollo knows only what it was given. */
const typed = (...names: string[]) => names.map((__typename) => ({ __typename }))
const a = () => ({})
const b = () => ({})
const resolvers = {
  Query: {
    a,
    b,
    all: () => [{}, {}],
    some: () => typed('B', 'C'),
    either: () => typed('A', 'C'),
    word: () => 'x',
    again: a,
  },
  A: { name: () => 'a', b, bs: () => [[{}]], deep: a },
  B: { id: () => 'b', note: () => 'n', a, page: () => ({}) },
  C: { id: () => 'c', c: () => 1 },
  Page: { size: () => 1, owner: b },
}

it('keeps a document that is asked for again, if it is valid', () => {
  const documents = new DocumentStore({ maxBytes: 100_000 })
  const operations = new Operations(AMPLE, buildSchema('type Query { a: Query, b: Int }'), { documents })
  const ask = (query: string) => operations.find(query, undefined)
  const first = ask('{ a { b } }')
  expect([first?.document?.deref()?.kind, documents.bytes]).toEqual(['Document', 0])
  const second = ask('{ a { b } }')
  // What is learnt of it by running it stays.
  expect(second?.learnt).toBe(first?.learnt)
  expect(ask('{ a { b } }')).toBe(second)
  const { bytes } = documents
  expect(bytes).toBeGreaterThan(0)
  for (const invalid of [
    '{ a }',
    '{ c }',
    '{ b(c: 1) }',
    '{ ...F } fragment F on Query { ...F }',
    'query ($x: Int) { b }',
  ]) {
    for (const _ of [1, 2]) expect(ask(invalid)).toMatchObject({ type: 'query', document: undefined })
  }
  expect(documents.bytes).toBe(bytes)
})
