import { expect, it } from '@jest/globals'
import { buildSchema, type GraphQLFieldResolver, type GraphQLObjectType, parse } from 'graphql'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import { Executor } from './executor.ts'

const schema = buildSchema(`
  type Query { text(length: Int): String! things(count: Int): [Thing] bad: Int never: Int thing: Thing }
  type Mutation { never: Int text(length: Int): String! }
  type Thing { id: ID! bad: Int must: Int! none: Int things(count: Int): [Thing] later: Thing }`)
const thing = {}
let calls = 0
const resolvers: Record<string, GraphQLFieldResolver<unknown, unknown>> = {
  text: (_source, { length }) => 'x'.repeat(length),
  things: (_source, { count }) => Array(count).fill(thing),
  thing: () => thing,
  later: async () => thing,
  id: () => 'an id',
  none: () => null,
  never: () => new Promise(() => {}),
  bad: () => fail(),
  must: () => fail(),
}
for (const name of ['Query', 'Mutation', 'Thing']) {
  for (const field of Object.values((schema.getType(name) as GraphQLObjectType).getFields())) {
    const resolve = resolvers[field.name]
    if (resolve) field.resolve = resolve
  }
}

function fail(): never {
  calls++
  throw new Error('bad')
}

const clock = new ManualClock()
const executor = new Executor(schema, { maxErrors: 5, maxBytes: 1000, timeoutMs: 100 }, { clock })

function run(text: string) {
  calls = 0
  const prepared = executor.prepare({ document: parse(text) })
  if (!('operation' in prepared)) throw new Error('It can not be run.')
  return executor.run(prepared, {})
}

async function endOf(text: string) {
  const { data, errors = [] } = await run(text)
  return { data, messages: errors.map(({ message }) => message) }
}

const MANY = 'The answer has more than 5 errors: the rest was not looked for.'

it.each([
  ['of a list', '{ things(count: 1000) { bad } }'],
  ['of lists in lists', '{ things(count: 3) { things(count: 300) { bad } } }'],
  ['under other names', `{ ${Array.from({ length: 900 }, (_, n) => `a${n}: bad`).join(' ')} }`],
  ['that empty what is around them', '{ things(count: 1000) { must } }'],
  ['that arrive later', '{ things(count: 10) { later { later { bad } } } }'],
])('looks for no more errors than it tells: %s', async (_what, text) => {
  const { data, messages } = await endOf(text)
  expect(data).toBeNull()
  expect(messages).toEqual([...Array(5).fill('bad'), MANY])
  expect(calls).toBe(6)
})

it('answers what has as many errors as are allowed', async () => {
  const { data, messages } = await endOf('{ things(count: 5) { id bad } }')
  expect(data).toEqual({ things: Array(5).fill({ id: 'an id', bad: null }) })
  expect(messages).toHaveLength(5)
})

it.each([
  ['one text', '{ text(length: 1001) }'],
  ['a text under many names', `{ ${Array.from({ length: 12 }, (_, n) => `a${n}: text(length: 90)`).join(' ')} }`],
  ['many small things', '{ things(count: 300) { id } }'],
  ['names of nothing', `{ things(count: 100) { ${'a'.repeat(40)}: none } }`],
  ['objects with nothing in them', `{ things(count: 40) { things(count: 40) { things(count: 0) { id } } } }`],
  ['what arrives later', '{ things(count: 50) { later { id id2: id } } }'],
])('makes no longer answer than is sent: %s', async (_what, text) => {
  const { data, messages } = await endOf(text)
  expect(data).toBeNull()
  expect(messages).toEqual(['The answer has more than 1000 bytes: ask for less at once.'])
})

it('gives up a query that takes too long, and what it still waited for', async () => {
  const result = run('{ never thing { id } }')
  clock.advance(99)
  clock.advance(1)
  expect(await result).toMatchObject({
    data: null,
    errors: [{ message: 'The query took longer than 100 ms: it was given up.' }],
  })
})

it('gives a query that is run again only the time that is left, and runs it no more without any', async () => {
  const prepared = executor.prepare({ document: parse('{ thing { later { bad } } }') })
  if (!('operation' in prepared)) throw new Error('It can not be run.')
  calls = 0
  const result = executor.run(prepared, {}, async (attempt) => {
    await attempt()
    clock.advance(99)
    await attempt()
    clock.advance(1)
    return attempt()
  })
  expect(await result).toMatchObject({ data: null, errors: [{ extensions: { code: 'LOAD_TIMEOUT' } }] })
  expect(calls).toBe(2)
  expect(clock.waiting).toBe(0)
})

it('waits for a mutation, however long it takes', async () => {
  const result = Promise.resolve(run('mutation { never }'))
  clock.advance(1_000_000)
  expect(await Promise.race([result, new Promise((resolve) => setImmediate(resolve, 'waits'))])).toBe('waits')
})

it('counts what a mutation shows once, however often it is made', async () => {
  const prepared = executor.prepare({ document: parse('mutation { text(length: 900) }') })
  if (!('operation' in prepared)) throw new Error('It can not be run.')
  const twice = async <T>(attempt: () => T | Promise<T>) => {
    await attempt()
    return attempt()
  }
  expect((await executor.run(prepared, {}, twice)).errors).toBeUndefined()
  // Not by field: together they are too long.
  expect((await endOf('mutation { a: text(length: 900) b: text(length: 900) }')).data).toBeNull()
})

it('keeps no timer of what is answered', async () => {
  await run('{ thing { later { id } } }')
  expect(clock.waiting).toBe(0)
})
