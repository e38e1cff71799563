import { expect, it } from '@jest/globals'
import { getIntrospectionQuery } from 'graphql'
import { AMPLE } from '../../../test/models/request-limits.ts'
import { parseWithin } from './limit-document.ts'

const AGAIN =
  'With its fragments written out the query has more than 100000 selections; the server takes 100000 (10 × QUERY_MAX_FIELDS).'
const names = (count: number, of: (n: number) => string) => Array.from({ length: count }, (_, n) => of(n)).join(' ')

it.each([
  ['maxBytes', 20, '{ article { title } }', '{ article { id } }'],
  ['maxBytes', 20, '{ a(b: "ä") { id } } ', '{ a(b: "a") { id } }'],
  ['maxTokens', 6, '{ a { b c } }', '{ a { b } }'],
  ['maxDepth', 2, '{ a { b { c } } }', '{ a { b } c { d } }'],
  ['maxDepth', 2, '{ a { ...F } } fragment F on T { b { c } }', '{ ...F } fragment F on T { b { c } }'],
  ['maxDepth', 2, '{ a { ... { b { c } } } }', '{ ... { ... { ... { a { b } } } } }'],
  ['maxFields', 3, '{ a b c d }', '{ a b c }'],
  ['maxFields', 3, '{ a { ...F } b { ...F } } fragment F on T { c }', '{ a { ...F ...F c } b } fragment F on T { c }'],
  ['maxAliases', 1, '{ a: x { b: y } }', '{ a: x { b } }'],
  ['maxAliases', 1, '{ a { ...F } b { ...F } } fragment F on T { c: d }', '{ a { ...F } } fragment F on T { c: d }'],
  ['maxRootFields', 2, '{ a ...F } fragment F on Query { b c }', '{ a ... { b { c d } } }'],
  ['maxRootFields', 2, 'query A { a } query B { a b c }', 'query A { a b } query B { a b }'],
  ['maxMutations', 1, 'mutation { a b }', '{ a b }'],
] as const)('holds %s at %d', (limit, max, beyond, within) => {
  const limits = { ...AMPLE, [limit]: max }
  const option = `QUERY_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
  expect(() => parseWithin(beyond, limits)).toThrow(
    expect.objectContaining({
      code: 'QUERY_TOO_COMPLEX',
      message: expect.stringContaining(`takes ${max} (${option})`),
    }),
  )
  expect(parseWithin(within, limits)).toBeDefined()
})

it.each([
  ['the same field again and again', `{ ${'a { b } '.repeat(450)} }`],
  [
    'the same field in fragments',
    `{ ${names(200, (n) => `...F${n}`)} } ${names(200, (n) => `fragment F${n} on Query { a { b } }`)}`,
  ],
  ['the same field within the same fields', `{ ${`a { ${'b { c } '.repeat(20)} } `.repeat(20)} }`],
  ['the same in a fragment that nothing uses', `{ a } fragment F on T { ${'a { b } '.repeat(450)} }`],
])('refuses what asks for %s', (_what, text) => {
  expect(() => parseWithin(text, AMPLE)).toThrow('The query asks for the same fields again and again.')
})

it.each([
  ['inline fragments', `${'{ ... '.repeat(3300)}{ a }${' }'.repeat(3300)}`],
  ['selections', `${'{ a '.repeat(2500)}${' }'.repeat(2500)}`],
  ['lists', `{ a(b: ${'['.repeat(4000)}${']'.repeat(4000)}) }`],
  ['objects', `{ a(b: ${'{ c: '.repeat(3000)}1${'}'.repeat(3000)}) }`],
  ['types', `query ($a: ${'['.repeat(4000)}A${']'.repeat(4000)}) { a }`],
  ['what never ends', '['.repeat(9000)],
])('refuses %s within each other before it parses them', (_what, text) => {
  expect(() => parseWithin(text, { ...AMPLE, maxTokens: 100_000 })).toThrow('more than 200 brackets within each other')
})

it('refuses fragments that multiply each other, at once', () => {
  const doubling = names(40, (n) => `fragment F${n} on Query { a${n} { ...F${n + 1} } b${n} { ...F${n + 1} } }`)
  expect(() => parseWithin(`{ ...F0 } ${doubling} fragment F40 on Query { c }`, AMPLE)).toThrow('QUERY_MAX_FIELDS')
})

it.each([
  ['in each other', (n: number) => `a${n} ...F${n + 1} ...G${n}`, (n: number) => `...F${n + 1}`],
  ['in inline fragments', (n: number) => `... { ...F${n + 1} } ... { ...F${n + 1} ...G${n} }`, () => 'b'],
])('refuses fragments that multiply each other, and are one in the end, at once: %s', (_where, inF, inG) => {
  const multiplying = names(40, (n) => `fragment F${n} on Query { ${inF(n)} } fragment G${n} on Query { ${inG(n)} }`)
  expect(() => parseWithin(`{ ...F0 } ${multiplying} fragment F40 on Query { c }`, AMPLE)).toThrow(AGAIN)
})

it('takes a fragment that is spread in many places', () => {
  const text = `{ ${names(100, (n) => `a${n} { ...F }`)} } fragment F on T { ${names(9, (n) => `b${n}`)} }`
  expect(parseWithin(text, { ...AMPLE, maxFields: 1000 })).toBeDefined()
})

it('lets validation refuse fragments that lie within themselves', () => {
  expect(parseWithin('{ ...F } fragment F on T { a { ...G } } fragment G on T { b { ...F } }', AMPLE)).toBeDefined()
  expect(parseWithin('{ a } fragment F on T { ...F }', AMPLE)).toBeDefined()
})

it('lets Apollo say what is wrong with what does not parse', () => {
  for (const text of ['', '{', '{ a }}', '\u0007', '"""']) expect(parseWithin(text, AMPLE)).toBeUndefined()
})

it('takes what tools ask of a schema, and not many times at once', () => {
  expect(parseWithin(getIntrospectionQuery(), { ...AMPLE, maxDepth: 20, maxFields: 1000 })).toBeDefined()
  const again = `{ ${names(6, (n) => `a${n}: __schema { types { name } }`)} }`
  expect(() => parseWithin(again, AMPLE)).toThrow('The query asks for the schema more than 5 times.')
})

it('takes fragments that lie within themselves as valid no more than graphql-js, and comes to an end', () => {
  const rings = ['...A ...B ...C', '...A', 'a { ...C }'].map((root) => {
    const text = `{ ${root} } fragment A on Query { a { ...B } } fragment B on Query { a { ...A } ...C } fragment C on Query { b ...C }`
    return parseWithin(text, AMPLE)
  })
  expect(rings.every((document) => document !== undefined)).toBe(true)
})

it('looks at a chain of many fragments once', () => {
  const chain = names(1200, (n) => `fragment F${n} on Query { ...F${n + 1} }`)
  expect(parseWithin(`{ ...F0 } ${chain} fragment F1200 on Query { c }`, AMPLE)).toBeDefined()
})
