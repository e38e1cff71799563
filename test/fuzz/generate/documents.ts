import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import type { Dice } from '../../integration/oracle/dice.ts'
import { mutateText } from './mutate-text.ts'
import { EnumName, type ValueMaker } from './values.ts'

export interface MadeDocument {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly operationName: string | undefined
}

/** Writes documents by the grammar of GraphQL and the fields of a schema. Most are valid; some are a little wrong. */
export function makeDocument(schema: GraphQLSchema, dice: Dice, values: ValueMaker): MadeDocument {
  return new DocumentMaker(schema, dice, values).make()
}

class DocumentMaker {
  readonly #schema: GraphQLSchema
  readonly #dice: Dice
  readonly #values: ValueMaker
  readonly #definitions: string[] = []
  readonly #variables: Record<string, unknown> = {}
  readonly #fragments: string[] = []
  readonly #maxDepth: number
  #fieldsLeft: number

  constructor(schema: GraphQLSchema, dice: Dice, values: ValueMaker) {
    this.#schema = schema
    this.#dice = dice
    this.#values = values
    this.#maxDepth = dice.chance(92) ? 1 + dice.below(5) : dice.pick([12, 21, 40])
    this.#fieldsLeft = dice.chance(95) ? 25 : 400
  }

  make(): MadeDocument {
    const dice = this.#dice
    if (dice.chance(3)) return { query: dice.pick(WHOLE_DOCUMENTS), variables: {}, operationName: undefined }
    const isMutation = dice.chance(25)
    const root = isMutation ? this.#schema.getMutationType() : this.#schema.getQueryType()
    if (!root) throw new TypeError('The schema has no such operation.')
    const selection = this.#selection(root, 0)
    const word = isMutation ? 'mutation' : dice.chance(97) ? 'query' : 'subscription'
    const name = dice.chance(30) ? dice.pick(['A', 'B', '_', 'query']) : ''
    if (dice.chance(2))
      this.#definitions.push(dice.pick(['$unused: Int', '$a: Nope', '$a: Int = "x"', '$a: [ID!]! = null']))
    const heads = this.#definitions.length > 0 ? `(${this.#definitions.join(', ')})` : ''
    const operations = [`${word} ${name}${heads}${this.#directive()} ${selection}`]
    if (dice.chance(4))
      operations.push(dice.pick(['query B { __typename }', '{ tags { nodes { id } } }', 'type T { a: Int }']))
    const text = [...operations, ...this.#fragments].join('\n')
    return {
      query: dice.chance(12) ? mutateText(dice, text) : text,
      variables: dice.chance(96) ? this.#variables : { ...this.#variables, [dice.pick(['x', 'v0', '__proto', ''])]: 1 },
      operationName: dice.chance(10) ? dice.pick(['A', 'B', 'Nope', '']) : undefined,
    }
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const dice = this.#dice
    const wanted = 1 + dice.below(depth === 0 ? 3 : 5)
    const parts = Array.from({ length: wanted }, () => this.#part(type, depth))
    if (dice.chance(1))
      parts.push(dice.pick(['nope', 'id { x }', '__schema { types { name } }', '... on Nope { id }', '...Nope', '']))
    return `{ ${parts.join(dice.pick([' ', '\n', ', ']))} }`
  }

  #part(type: GraphQLCompositeType, depth: number): string {
    const dice = this.#dice
    this.#fieldsLeft--
    if (dice.chance(5) || !('getFields' in type)) return '__typename'
    const isDeep = depth >= this.#maxDepth || this.#fieldsLeft <= 0
    if (!isDeep && depth > 0 && isInterfaceType(type) && dice.chance(80)) {
      const { name } = dice.pick(this.#schema.getPossibleTypes(type))
      return `... on ${name}${this.#directive()} ${this.#selection(this.#typeOf(name), depth + 1)}`
    }
    if (!isDeep && dice.chance(6)) {
      const condition = dice.chance(50) ? ` on ${type.name}` : ''
      return `...${condition}${this.#directive()} ${this.#selection(type, depth + 1)}`
    }
    if (!isDeep && dice.chance(6)) return this.#fragment(type, depth)
    const fields = Object.values(type.getFields())
    const leaves = fields.filter((field) => !isCompositeType(getNamedType(field.type)))
    return this.#field(dice.pick(isDeep && leaves.length > 0 ? leaves : fields), depth)
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const dice = this.#dice
    const alias = dice.chance(25)
      ? `${dice.pick(['a', 'b', 'c', 'data', '__proto__', 'constructor', field.name])}: `
      : ''
    const args = field.args
      .filter((argument) => (isRequiredArgument(argument) ? dice.chance(98) : dice.chance(35)))
      .map((argument) => this.#argument(argument))
    if (dice.chance(1)) args.push('nope: 1')
    const type = getNamedType(field.type)
    const selection = isCompositeType(type) ? this.#subselection(type, depth) : ''
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${this.#directive()}${selection}`
  }

  #subselection(type: GraphQLCompositeType, depth: number): string {
    if (depth >= this.#maxDepth || this.#fieldsLeft <= 0) return ' { __typename }'
    return ` ${this.#selection(type, depth + 1)}`
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    const dice = this.#dice
    const name = `F${this.#fragments.length}`
    const at = this.#fragments.push('') - 1
    const body = this.#selection(type, depth + 1)
    const cycle = dice.chance(2) ? ` ...F${dice.below(this.#fragments.length)}` : ''
    this.#fragments[at] = `fragment ${name} on ${type.name} ${body.slice(0, -1)}${cycle} }`
    return `...${name}${dice.chance(10) ? ` ...${name}` : ''}`
  }

  #argument({ name, type }: GraphQLArgument): string {
    const value = this.#values.make(type, name)
    if (this.#dice.chance(60)) return `${name}: ${literal(value)}`
    return `${name}: $${this.#variable(type, value)}`
  }

  #variable(type: GraphQLInputType, value: unknown): string {
    const dice = this.#dice
    const name = `v${this.#definitions.length}`
    const declared = dice.chance(96) ? String(type) : dice.pick(['Int', 'String!', '[ID!]', 'Nope', 'ArticleFilter'])
    this.#definitions.push(`$${name}: ${declared}${dice.chance(8) ? ` = ${literal(value)}` : ''}`)
    if (dice.chance(95)) this.#variables[name] = value
    return name
  }

  #directive(): string {
    const dice = this.#dice
    if (!dice.chance(6)) return ''
    return ` ${dice.pick(['@include(if: true)', '@skip(if: false)', '@skip(if: true)', '@include(if: null)', '@nope', '@skip', '@include(if: true) @skip(if: false)', '@cacheControl(maxAge: 1)', '@deprecated'])}`
  }

  #typeOf(name: string): GraphQLCompositeType {
    const type = this.#schema.getType(name)
    if (!isObjectType(type)) throw new TypeError(`${name} is no object type.`)
    return type
  }
}

/** A value as it stands in a document. */
function literal(value: unknown): string {
  if (value instanceof EnumName) return value.name
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, field]) => `${name}: ${literal(field)}`)
      .join(', ')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

const WHOLE_DOCUMENTS = [
  '',
  ' ',
  '#',
  '{',
  '{}',
  '{{{{',
  'query',
  'query {',
  'fragment F on Query { ...F }',
  '{ ...F } fragment F on Query { ...F }',
  '{ __schema { types { fields { type { ofType { ofType { name } } } } } } }',
  '{ __type(name: "Article") { fields { args { defaultValue } } } }',
  '{ __type(name: null) { name } }',
  '{ __typename @include }',
  'query A { __typename } query A { __typename }',
  'subscription { x }',
  'extend type Query { x: Int }',
  '"""d"""',
  `{ ${'a: __typename '.repeat(99)} }`,
  `${'{ articles { nodes { author '.repeat(25)}`,
  `{ ${Array.from({ length: 60 }, (_, n) => `a${n}: tags { totalCount }`).join(' ')} }`,
  `query(${'$a: Int '.repeat(50)}) { __typename }`,
  `{ node(id: "${'x'.repeat(100_000)}") { id } }`,
  `{ ${'x'.repeat(100_000)} }`,
  `{ nodes(ids: [${'"x" '.repeat(101)}]) { id } }`,
  `{ nodes(ids: [${'null '.repeat(100)}]) { id } }`,
  '{ articles(first: 100) { nodes { author { articles(first: 100) { nodes { author { articles(first: 100) { totalCount } } } } } } } }',
]
