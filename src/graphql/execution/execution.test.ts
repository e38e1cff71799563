import { makeExecutableSchema } from '@graphql-tools/schema'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  getIntrospectionQuery,
  Kind,
  parse,
  responsePathAsArray,
  validate,
} from 'graphql'
import { isPromise } from '../../kernel/promise-or-value.ts'
import { Executor } from './executor.ts'
import type { Repeat } from './run-operation.ts'

/** Whatever can become of a field: `how` says what. */
const schema = makeExecutableSchema({
  typeDefs: `
    enum How { HERE LATER MUCH_LATER NULL NULL_LATER ABSENT THROWS REJECTS AN_ERROR AN_ERROR_LATER NONSENSE }
    enum Kind { THING OTHER NOTHING NO_TYPE LATER_THING THROWS }
    scalar Shout
    input Filter { word: String = "any", words: [String!], more: Filter, loud: Shout }
    interface Being { id: ID!, name(how: How = HERE): String, sure(how: How = HERE): String! }
    union Either = Thing | Other
    type Thing implements Being {
      id: ID!
      plain: String
      method(word: String): String
      name(how: How = HERE): String
      sure(how: How = HERE): String!
      number(how: How = HERE): Int
      shout(how: How = HERE): Shout
      kind(how: How = HERE): How
      thing(how: How = HERE): Thing
      sureThing(how: How = HERE): Thing!
      things(how: [How!]! = [HERE, LATER]): [Thing]
      sureThings(how: [How!]! = [HERE, LATER]): [Thing!]!
      list(how: How = HERE): [String!]
      grid: [[Int!]!]
      being(is: Kind = THING): Being
      beings(are: [Kind!]! = [THING, OTHER]): [Being]
      either(is: Kind = OTHER): Either!
      echo(filter: Filter, filters: [Filter!], number: Int! = 3): String
    }
    type Other implements Being { id: ID!, name(how: How = HERE): String, sure(how: How = HERE): String!, other: Other }
    type Query { thing(how: How = HERE): Thing, sureThing(how: How = HERE): Thing!, being(is: Kind = THING): Being, echo(filter: Filter, number: Int): String }
    type Mutation { first(how: How = HERE): Thing, second(how: How = LATER): Thing!, third(how: How = HERE): String }
  `,
  resolvers: {
    Shout: new GraphQLScalarType({
      name: 'Shout',
      serialize: (value) => (value === 'nonsense' ? null : String(value).toUpperCase()),
      parseValue: (value) => `parsed ${value}`,
      parseLiteral: (node) => (node.kind === Kind.STRING ? `literal ${node.value}` : undefined),
    }),
    Being: { __resolveType: typeOf },
    Either: { __resolveType: typeOf },
    Thing: {
      ...fields(['name', 'sure'], () => 'text'),
      ...fields(['number'], () => 7),
      ...fields(['shout'], () => 'hello'),
      ...fields(['kind'], () => 'NULL'),
      ...fields(['list'], () => new Set(['a', 'b'])),
      ...fields(['thing', 'sureThing'], thing),
      ...fields(['things', 'sureThings'], thing),
      grid: () => [[1, 2], [], [3]],
      being: being,
      either: being,
      beings: noted((_source, { are }) => (are as string[]).map(someone)),
      echo: noted((_source, args) => JSON.stringify(args)),
    },
    Other: { ...fields(['name', 'sure'], () => 'text'), other: noted(async () => someone('OTHER')) },
    Query: {
      ...fields(['thing', 'sureThing'], thing),
      being,
      echo: noted((_source, args) => JSON.stringify(args)),
    },
    Mutation: { ...fields(['first', 'second'], thing), ...fields(['third'], () => 'done') },
  },
})

const sameAsGraphQLJs = comparer()

it.each([
  ['answers what is there', '{ thing { id plain method(word: "x") list grid number shout kind __typename } }'],
  ['waits', '{ thing(how: LATER) { a: name(how: MUCH_LATER) b: name(how: LATER) c: name } }'],
  [
    'merges what is asked for twice',
    '{ thing { thing { id } } thing { thing { name } ... { plain } } ...F } fragment F on Query { thing { grid } }',
  ],
  [
    'tells types apart',
    '{ thing { beings { id ... on Thing { plain } ... on Other { other { id } } } either { ... on Being { name } __typename } } }',
  ],
  [
    'makes null what fails',
    '{ thing { a: name(how: THROWS) b: name(how: REJECTS) c: name(how: AN_ERROR) d: name(how: AN_ERROR_LATER) plain } }',
  ],
  [
    'makes null what is around what must not be null',
    '{ thing { plain sureThing { sureThing { sure(how: NULL_LATER) name(how: REJECTS) } } } }',
  ],
  [
    'makes everything null',
    '{ sureThing { sureThing { sure(how: THROWS) } thing { name(how: REJECTS) } } thing { name(how: REJECTS) } }',
  ],
  [
    'tells nothing of what fails below null',
    '{ thing { a: sure(how: REJECTS) b: sure(how: THROWS) thing { name(how: REJECTS) } c: name(how: MUCH_LATER) } }',
  ],
  [
    'makes null in lists',
    '{ thing { things(how: [HERE, REJECTS, NULL, THROWS, AN_ERROR, LATER]) { id } sureThings(how: [LATER, NULL]) { id } } }',
  ],
  [
    'refuses what is no list and no leaf',
    '{ thing { list(how: NONSENSE) number(how: NONSENSE) kind(how: NONSENSE) shout(how: NONSENSE) } }',
  ],
  [
    'refuses types that are none',
    '{ thing { beings(are: [NOTHING, NO_TYPE, THROWS, LATER_THING, OTHER]) { id } } being(is: NOTHING) { id } }',
  ],
  [
    'gives arguments',
    '{ a: echo(filter: { more: { words: ["x"] }, loud: "y" }) b: echo c: echo(number: null, filter: null) }',
  ],
  ['introspects', getIntrospectionQuery()],
  [
    'introspects a type',
    '{ __type(name: "Thing") { name fields { name type { name } args { name defaultValue } } } none: __type(name: "None") { name } __typename }',
  ],
  ['names a field __proto__', '{ thing { __proto__: plain id } __proto__: echo }'],
  ['names a field then', '{ then: thing { then: plain } }'],
  [
    'executes mutations one after another',
    'mutation { a: first(how: LATER) { id } second { id } b: first(how: THROWS) { id } third ...F } fragment F on Mutation { c: first { name } }',
  ],
  ['makes all mutations null', 'mutation { third second(how: REJECTS) { id } first { id } }'],
])('%s', (_what, text) => sameAsGraphQLJs(text))

it.each([
  [{ skip: true, include: true }],
  [{ skip: false, include: false }],
  [{ skip: false, include: true }],
  [{ skip: false }],
  [{ skip: false, include: null }],
])('skips and includes: %j', (variables) =>
  sameAsGraphQLJs(
    `query ($skip: Boolean!, $include: Boolean = true) {
      thing { id @skip(if: $skip) plain @include(if: $include) ... @skip(if: $skip) { name } ...F @include(if: $include) never: id @skip(if: true) }
      echo @include(if: $include) @skip(if: $skip)
    }
    fragment F on Thing { grid sure @skip(if: $skip) }`,
    variables,
  ),
)

it.each([
  [{}],
  [{ word: 'x', number: 4 }],
  [{ word: null, number: null }],
  [{ number: 'four' }],
  [{ filter: { words: [1], x: 2 } }],
  [{ filter: { loud: 'x', more: { word: 'y' } } }],
  [null],
])('coerces variables: %j', (variables) =>
  sameAsGraphQLJs(
    `query ($word: String = "default", $number: Int = 5, $filter: Filter, $words: [String!]) {
      a: echo(filter: { word: $word, words: $words }) b: echo(number: $number, filter: $filter)
      thing { c: echo(filters: [{ word: $word }, { more: $filter }], number: $number) sureThings { echo(number: $number) } }
    }`,
    variables,
  ),
)

it.each([undefined, null, 'A', 'B', 'C', ''])('finds the operation named %j', (operationName) =>
  sameAsGraphQLJs('query A { echo } query B($n: Int!) { echo(number: $n) } mutation C { third }', {}, operationName),
)

it('does not mistake one operation, or one set of conditions, for another', () =>
  sameAsGraphQLJs.inTurn('query A($b: Boolean!) { thing { id @skip(if: $b) } } query B { thing { name } }', [
    [{ b: true }, 'A'],
    [{ b: false }, 'A'],
    [{}, 'B'],
    [{ b: true }, 'A'],
  ]))

it('tells no error that comes a tick after the one that leaves no data', () =>
  sameAsGraphQLJs(
    `query ($a: Boolean!, $b: Boolean = true) {
      thing { id plain }
      sureThing {
        being_OTHER: being(is: OTHER) { id ... on Thing { ... on Thing @skip(if: $a) { here: sureThing(how: HERE) { id plain } } } ... on Other { other { name } } }
        here: sureThing(how: HERE) { nonsense: sureThing(how: NONSENSE) { id plain } }
        thing(how: HERE) { name(how: HERE) }
        id @skip(if: $a) name @skip(if: $b)
      }
      thing {
        being(is: LATER_THING) { id ... on Thing { later: sureThings(how: [LATER]) { id plain } } ... on Other { other { name } } }
        nulls: sureThings(how: [NULL, NULL]) { id plain }
        id ...F ...G
      }
    }
    fragment F on Thing { plain thing { ...G } things { id } } fragment G on Being { id name(how: LATER) ... on Thing { list } }`,
    { a: false, b: false },
  ))

it.each(['', 'a: first { id }', 'a: first(how: LATER) { id } b: third'])(
  'tells what fails before it is heard that a mutation leaves no data, after %j',
  (before) =>
    sameAsGraphQLJs(`mutation {
      ${before}
      second {
        later: sureThings(how: [AN_ERROR_LATER]) { number }
        being(is: LATER_THING) { id ... on Thing { being(is: LATER_THING) { id } sure(how: ABSENT) } }
      }
      c: first { name ...F }
    }
    fragment F on Thing { plain things { id } }`),
)

it('answers any document as graphql-js does', async () => {
  await fc.assert(
    fc.asyncProperty(documents(), fc.boolean(), fc.boolean(), async (text, a, b) => {
      const document = parse(text)
      fc.pre(validate(schema, document).length === 0)
      await sameAsGraphQLJs(document, { a, b })
    }),
    { numRuns: 200 },
  )
})

it('answers with an error if what repeats it fails: in a mutation with that of the field, and other fields stand', async () => {
  const executor = new Executor(schema, { maxErrors: 100, maxBytes: 1e9, timeoutMs: 60_000 })
  const runFailing = async (text: string, failAt: number) => {
    let times = 0
    const failing: Repeat = async (run) => {
      const made = await run()
      if (++times === failAt) throw new Error('no snapshot')
      return made
    }
    const prepared = executor.prepare({ document: parse(text) })
    return 'operation' in prepared ? executor.run(prepared, { calls: [] }, failing) : prepared
  }
  const query = await runFailing('{ thing { id } }', 1)
  expect(query).toMatchObject({ data: null, errors: [{ message: 'no snapshot' }] })
  const mutation = await runFailing('mutation { a: third b: third c: third }', 2)
  expect(mutation).toMatchObject({
    data: { a: 'done', b: null, c: 'done' },
    errors: [{ message: 'no snapshot', path: ['b'] }],
  })
})

it('lets go of plans that are not used, and answers the same without', async () => {
  const wide = (n: number) => `{ thing { ${Array.from({ length: 200 }, (_, i) => `n${n}_${i}: id`).join(' ')} } }`
  const documents = Array.from({ length: 40 }, (_, n) => parse(wide(n)))
  const sameWithLittleRoom = comparer({ maxPlannedFields: 5000 })
  for (const document of [...documents, ...documents]) await sameWithLittleRoom(document)
})

/** Runs a document with both, thrice: before it is planned, and after. */
function comparer(room: { readonly maxPlannedFields?: number } = {}) {
  const executor = new Executor(schema, { maxErrors: 1_000_000, maxBytes: 1e9, timeoutMs: 60_000 }, room)
  const compare = async (document: DocumentNode, variables?: object | null, operationName?: string | null) => {
    const expected = await run((context) =>
      execute({ schema, document, contextValue: context, variableValues: variables as never, operationName }),
    )
    const actual = await run((context) => {
      const prepared = executor.prepare({ document, variables: variables as Record<string, unknown>, operationName })
      return 'operation' in prepared ? executor.run(prepared, context) : prepared
    })
    expect(actual).toEqual(expected)
    expect(JSON.stringify(actual)).toBe(JSON.stringify(expected))
    return expected
  }
  const compareRepeated = async (document: DocumentNode, variables?: object | null, operationName?: string | null) => {
    const expected = await compare(document, variables, operationName)
    const repeated = await run((context) => {
      const prepared = executor.prepare({ document, variables: variables as Record<string, unknown>, operationName })
      return 'operation' in prepared ? executor.run(prepared, context, twice) : prepared
    })
    expect(repeated.result).toEqual(expected.result)
    // Whatever is made again, no mutation is.
    const mutations = ({ calls }: Notes) => calls.filter((call) => call.includes(' Mutation.'))
    expect(mutations(repeated)).toEqual(mutations(expected))
  }
  const asDocument = (text: string | DocumentNode) => {
    const document = typeof text === 'string' ? parse(text) : text
    return document
  }
  const thrice = async (text: string | DocumentNode, variables?: object | null, operationName?: string | null) => {
    const document = asDocument(text)
    for (let time = 0; time < 2; time++) await compare(document, variables, operationName)
    await compareRepeated(document, variables, operationName)
  }
  return Object.assign(thrice, {
    async inTurn(text: string, turns: readonly (readonly [object, string])[]) {
      const document = asDocument(text)
      for (const [variables, operationName] of turns) await compare(document, variables, operationName)
    },
  })
}

const twice: Repeat = (run) => {
  try {
    const first = run()
    return isPromise(first) ? first.then(run, run) : run()
  } catch {
    return run()
  }
}

interface Notes {
  readonly calls: string[]
}

async function run(go: (context: Notes) => ExecutionResult | Promise<ExecutionResult>) {
  const calls: string[] = []
  const result = await go({ calls })
  // What is still under way must change nothing.
  const before = JSON.stringify(result)
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  expect(JSON.stringify(result)).toBe(before)
  const causes = result.errors?.map(({ originalError, extensions }) => [originalError?.message, extensions])
  return { result, causes, calls }
}

type Resolve = (source: unknown, args: Record<string, unknown>, context: Notes, info: GraphQLResolveInfo) => unknown

/** Notes down that it was called, for what, and with which arguments. */
function noted(resolve: Resolve): Resolve {
  return (source, args, context, info) => {
    const { fieldName, parentType, returnType, path, operation, fieldNodes, variableValues } = info
    const asked = fieldNodes.map(({ loc }) => loc?.start).join()
    context.calls.push(
      `${responsePathAsArray(path).join('.')} ${path.typename} ${parentType}.${fieldName}: ${returnType} ${operation.operation} ${asked} ${JSON.stringify([args, variableValues])}`,
    )
    return resolve(source, args, context, info)
  }
}

function fields(names: readonly string[], value: () => unknown) {
  const resolve = noted((_source, { how }) =>
    Array.isArray(how)
      ? how.map((one) => (one === 'THROWS' ? new Error('in a list') : become(one, value)))
      : become(how, value),
  )
  return Object.fromEntries(names.map((name) => [name, resolve]))
}

function become(how: unknown, value: () => unknown): unknown {
  switch (how) {
    case 'LATER':
      return Promise.resolve().then(value)
    case 'MUCH_LATER':
      return new Promise(setImmediate).then(value)
    case 'NULL':
      return null
    case 'NULL_LATER':
      return Promise.resolve(null)
    case 'ABSENT':
      return undefined
    case 'THROWS':
      throw new Error('thrown')
    case 'REJECTS':
      return Promise.reject(new TypeError('rejected'))
    case 'AN_ERROR':
      return new Error('returned')
    case 'AN_ERROR_LATER':
      return Promise.resolve(new Error('returned later'))
    case 'NONSENSE':
      return 'nonsense'
    default:
      return value()
  }
}

function thing() {
  return { id: 1, plain: 'plain', method: ({ word }: { word?: string }) => `method ${word}` }
}

function being(_source: unknown, { is }: { is: string }) {
  return someone(is)
}

function someone(is: string) {
  return { ...thing(), is }
}

function typeOf({ is }: { is: string }, { calls }: Notes, info: GraphQLResolveInfo) {
  calls.push(`${responsePathAsArray(info.path).join('.')} is ${is}: ${info.returnType}`)
  switch (is) {
    case 'THING':
      return 'Thing'
    case 'OTHER':
      return 'Other'
    case 'LATER_THING':
      return Promise.resolve('Thing')
    case 'NOTHING':
      return undefined
    case 'NO_TYPE':
      return info.path.key === 'either' ? 'Query' : 'Nobody'
    default:
      throw new Error('of no type')
  }
}

/** Any document about things. The same name always asks for the same, so that it can be merged. */
function documents(): fc.Arbitrary<string> {
  const how = fc.constantFrom(...HOWS)
  const field = (name: string, args: fc.Arbitrary<string>, below?: fc.Arbitrary<string>) =>
    fc.tuple(args, below ?? fc.constant(''), directive).map(([given, selection, when]) => {
      const alias = `${name}_${given.replaceAll(/\W+/g, '_')}`
      return `${alias}: ${name}${given} ${when} ${selection && `{ ${selection} }`}`
    })
  const directive = fc.oneof(
    { weight: 6, arbitrary: fc.constant('') },
    fc.constantFrom('@skip(if: $a)', '@include(if: $a)', '@skip(if: $b) @include(if: $a)', '@include(if: true)'),
  )
  const oneHow = how.map((one) => `(how: ${one})`)
  const list = (item: fc.Arbitrary<string>) => fc.array(item, { maxLength: 4 }).map((all) => `(how: [${all.join()}])`)
  const some = (items: fc.Arbitrary<string>) =>
    fc.array(items, { minLength: 1, maxLength: 4 }).map((all) => all.join(' '))
  const { selection } = fc.letrec<{ selection: string; item: string }>((tie) => ({
    selection: fc.oneof({ maxDepth: 3 }, fc.constant('id plain'), some(tie('item'))),
    item: fc.oneof(
      { maxDepth: 3 },
      fc.constant('id'),
      field('name', oneHow),
      field('sure', oneHow),
      fc.constantFrom('...F', '...G @skip(if: $b)', 'grid', '__typename'),
      field('number', oneHow),
      field('list', oneHow),
      field('thing', oneHow, tie('selection')),
      field('sureThing', oneHow, tie('selection')),
      field('things', list(how), tie('selection')),
      // Where one fails at once, graphql-js leaves those that fail later to nobody: Node.js would end the process.
      field(
        'sureThings',
        fc.constantFrom(...AT_ONCE).map((one) => `(how: [${one}, ${one}])`),
        tie('selection'),
      ),
      field('sureThings', list(fc.constantFrom(...IN_TIME)), tie('selection')),
      fc.tuple(tie('selection'), directive).map(([inner, when]) => `... on Thing ${when} { ${inner} }`),
      fc
        .tuple(fc.constantFrom(...KINDS), tie('selection'))
        .map(
          ([is, inner]) =>
            `being_${is}: being(is: ${is}) { id ... on Thing { ${inner} } ... on Other { other { name } } }`,
        ),
    ),
  }))
  return fc
    .tuple(fc.constantFrom('query', 'mutation'), selection, selection, selection)
    .map(([operation, one, two, three]) => {
      const [first, second] = operation === 'query' ? ['thing', 'sureThing'] : ['first', 'second']
      return `${operation} ($a: Boolean!, $b: Boolean = true) { ${first} { ${one} } ${second} { ${two} id @skip(if: $a) name @skip(if: $b) } ${first} { ${three} ...F ...G } }
        fragment F on Thing { plain thing { ...G } things { id } } fragment G on Being { id name(how: LATER) ... on Thing { list } }`
    })
}

const AT_ONCE = ['HERE', 'NULL', 'ABSENT', 'THROWS', 'AN_ERROR', 'NONSENSE']
const IN_TIME = ['LATER', 'MUCH_LATER', 'NULL_LATER', 'REJECTS', 'AN_ERROR_LATER']
const HOWS = [...AT_ONCE, ...IN_TIME]
const KINDS = ['THING', 'OTHER', 'NOTHING', 'NO_TYPE', 'LATER_THING', 'THROWS']
