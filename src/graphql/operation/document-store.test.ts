import { createHash } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { buildSchema, execute, getOperationAST, parse, print } from 'graphql'
import { DocumentStore, shrink } from './document-store.ts'

const schema = buildSchema('type Query { a(id: ID!): Query, b: String! }')

it('keeps the documents that were asked for last, up to its bound', async () => {
  const store = new DocumentStore({ maxBytes: 10 * shrink(parse('{ a(id: 1) { b } }')) })
  const documents = Array.from({ length: 20 }, (_, id) => parse(`{ a(id: ${id % 10}) { b } }`))
  for (const [index, document] of documents.entries()) {
    await store.set(`${index}`, document)
    expect(await store.get('0')).toBe(documents[0])
  }
  const kept = await Promise.all(documents.map((_, index) => store.get(`${index}`)))
  expect(kept).toEqual(documents.map((document, index) => (index === 0 || index > 10 ? document : undefined)))
  expect(await store.delete('0')).toBe(true)
  expect(await store.get('0')).toBeUndefined()
})

it('finds by the text what Apollo keeps by a prefix and the hash of it, and the other way about', async () => {
  const store = new DocumentStore({ maxBytes: 100_000 })
  const [ours, theirs] = ['{ b }', '{ a(id: 1) { b } }']
  const apollos = (text: string) => `schema:${createHash('sha256').update(text).digest('hex')}`
  store.keep(ours, parse(ours))
  await store.set(apollos(theirs), parse(theirs))
  expect(await store.get(apollos(ours))).toBe(store.find(ours))
  expect(await store.get(apollos(theirs))).toBe(store.find(theirs))
  expect([ours, theirs].map((text) => print(store.find(text) ?? parse('{ none }')))).toEqual(
    [ours, theirs].map((text) => print(parse(text))),
  )
  expect(store.find('{ c }')).toBeUndefined()
})

it('does not keep a document that is larger than all it may keep', async () => {
  const store = new DocumentStore({ maxBytes: 10_000 })
  await store.set('large', parse(`{ ${'b '.repeat(100)} }`))
  expect(await store.get('large')).toBeUndefined()
})

it('says where the errors of a shrunken document are, and prints and runs it as before', () => {
  const text = 'query Q($id: ID!) { a(id: $id) { b other: a(id: 2) { b } } }'
  const document = parse(text)
  const untouched = parse(text)
  expect(shrink(document)).toBeGreaterThan(text.length * 20)
  expect(print(document)).toBe(print(untouched))
  expect(getOperationAST(document)?.loc).toMatchObject({ start: 0, end: text.length })
  const run = (document: ReturnType<typeof parse>) =>
    execute({ schema, document, rootValue: { a: () => ({}) }, variableValues: { id: 1 } })
  expect(run(document)).toEqual(run(untouched))
  expect(execute({ schema, document })).toMatchObject({ errors: [{ locations: [{ line: 1, column: 9 }] }] })
})
