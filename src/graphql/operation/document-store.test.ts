import { createHash } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { buildSchema, execute, getOperationAST, parse, print } from 'graphql'
import { DocumentStore, shrink } from './document-store.ts'

const schema = buildSchema('type Query { a(id: ID!): Query, b: String! }')

/** As Apollo names a document. */
const keyOf = (text: string) => `schema:${createHash('sha256').update(text).digest('hex')}`

it('keeps the documents that were asked for last, up to its bound, for Apollo to find', async () => {
  const store = new DocumentStore({ maxBytes: 10 * shrink(parse('{ a(id: 1) { b } }')) })
  const texts = Array.from({ length: 20 }, (_, id) => `{ a(id: ${id % 10}) { b } }${' '.repeat(id)}`)
  const documents = texts.map((text) => parse(text.trim()))
  for (const [index, document] of documents.entries()) {
    store.keep(texts[index] ?? '', document)
    expect(await store.get(keyOf(texts[0] ?? ''))).toBe(documents[0])
  }
  const kept = await Promise.all(texts.map((text) => store.get(keyOf(text))))
  expect(kept).toEqual(documents.map((document, index) => (index === 0 || index > 10 ? document : undefined)))
  expect(await store.delete(keyOf(texts[0] ?? ''))).toBe(true)
  expect(await store.get(keyOf(texts[0] ?? ''))).toBeUndefined()
})

it('keeps nothing that Apollo gives it', async () => {
  const store = new DocumentStore({ maxBytes: 100_000 })
  await store.set()
  expect([await store.get(keyOf('{ b }')), store.bytes]).toEqual([undefined, 0])
})

it('does not keep a document that is larger than all it may keep', async () => {
  const store = new DocumentStore({ maxBytes: 10_000 })
  const text = `{ ${'b '.repeat(100)} }`
  store.keep(text, parse(text))
  expect(await store.get(keyOf(text))).toBeUndefined()
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
