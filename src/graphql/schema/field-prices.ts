import {
  type ASTNode,
  type ConstDirectiveNode,
  type GraphQLArgument,
  GraphQLError,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
} from 'graphql'

type Field = GraphQLField<unknown, unknown>
type Arguments = Readonly<Record<string, unknown>>

/** What a field costs. */
interface FieldPrice {
  /** To resolve it once, with what its arguments add. Never below 0. */
  own(args: Arguments): number
  /** How often what is selected within it may be resolved. Throws a `GraphQLError` unless exactly one slicing argument is given, if the schema wants that. */
  size(args: Arguments): number
}

/**
 * The prices of all fields, as `@cost` and `@listSize` in the schema say: the field cost of IBM's cost specification
 * (https://ibm.github.io/graphql-specs/cost-spec.html). What a type weighs counts for its fields that have no weight of their own.
 *
 * @param maxSize no slice is longer: what asks for more is refused when it is run
 * @returns the price of a field. Undefined for introspection, which no schema prices
 * @throws TypeError for a schema with a list whose length nothing says, or with a weight that is no number
 */
export function fieldPrices(schema: GraphQLSchema, maxSize: number): (field: Field) => FieldPrice | undefined {
  const directives = new PriceDirectives(schema)
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))
  const prices = new Map<Field, FieldPrice>()
  for (const type of types.filter(isObjectType)) {
    for (const field of Object.values(type.getFields())) {
      checkSize(type, field, directives)
      prices.set(field, priceOf(field, directives, maxSize))
    }
  }
  // Section 7.2: an interface has no prices of its own, because behind it there may be any type which implements it.
  for (const type of types.filter(isInterfaceType)) {
    for (const field of Object.values(type.getFields())) {
      const { objects } = schema.getImplementations(type)
      const possible = objects.flatMap((it) => prices.get(it.getFields()[field.name] ?? field) ?? [])
      prices.set(field, {
        own: (args) => Math.max(0, ...possible.map((price) => price.own(args))),
        size: (args) => Math.max(0, ...possible.map((price) => price.size(args))),
      })
    }
  }
  return (field) => prices.get(field)
}

/** HAZARD: a list that counted as one object would let a query have thousands for nothing. */
function checkSize(type: GraphQLObjectType, field: Field, directives: PriceDirectives): void {
  const returned = getNamedType(field.type)
  const sized = directives.listSizeOf(field)
  const within = isObjectType(returned) ? Object.values(returned.getFields()) : []
  const unsized = within.find(
    (it) => directives.isSizedByParent(returned.name, it) && !sized?.sizedFields?.includes(it.name),
  )
  const isList = isCompositeType(returned) && isListType(getNullableType(field.type))
  if (unsized || (isList && !sized && !directives.isSizedByParent(type.name, field))) {
    throw new TypeError(`${type.name}.${field.name} needs a @listSize that says how long ${unsized?.name ?? 'it'} is.`)
  }
}

function priceOf(field: Field, directives: PriceDirectives, maxSize: number): FieldPrice {
  const weight = directives.weightOf(field)
  const sized = directives.listSizeOf(field)
  const own = (args: Arguments) => Math.max(0, weight + directives.weightOfGiven(field.args, args))
  if (!sized) return { own, size: () => 1 }
  const { assumedSize, requireOneSlicingArgument } = sized
  const slicing = sized.slicingArguments ?? []
  const size = (args: Arguments) => {
    const lengths = slicing.flatMap((name) => lengthIn(args[name], maxSize) ?? [])
    if (requireOneSlicingArgument && slicing.length > 0 && lengths.length !== 1) {
      throw new GraphQLError(`${field.name} needs exactly one of ${slicing.join(', ')}.`)
    }
    return lengths.length > 0 ? Math.max(...lengths) : (assumedSize ?? maxSize)
  }
  return { own, size }
}

/** The length that a slicing argument asks for. The specification has only numbers slice. */
function lengthIn(value: unknown, maxSize: number): number | undefined {
  if (Array.isArray(value)) return value.length
  // Less than nothing must not make room for the rest.
  return typeof value === 'number' ? Math.min(Math.max(value, 0), maxSize) : undefined
}

interface ListSize {
  readonly assumedSize?: number | null
  readonly slicingArguments?: readonly string[] | null
  readonly sizedFields?: readonly string[] | null
  readonly requireOneSlicingArgument?: boolean | null
}

/** Reads the directives of a schema. */
class PriceDirectives {
  readonly #schema: GraphQLSchema
  /** Such as `ArticleConnection.nodes`. */
  readonly #sizedByParent: ReadonlySet<string>

  constructor(schema: GraphQLSchema) {
    this.#schema = schema
    const fields = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .flatMap((type) => Object.values(type.getFields()))
    this.#sizedByParent = new Set(
      fields.flatMap((field) =>
        (this.listSizeOf(field)?.sizedFields ?? []).map((name) => `${getNamedType(field.type).name}.${name}`),
      ),
    )
  }

  listSizeOf({ astNode }: Field): ListSize | undefined {
    return this.#read('listSize', astNode)
  }

  isSizedByParent(type: string, { name }: Field): boolean {
    return this.#sizedByParent.has(`${type}.${name}`)
  }

  weightOf({ type, astNode }: Field): number {
    const named = getNamedType(type)
    return this.#weightAt(astNode) ?? this.#weightAt(named.astNode) ?? (isCompositeType(named) ? 1 : 0)
  }

  /** What the arguments, or the fields of an input object, weigh that are given. It may be below 0. */
  weightOfGiven(inputs: readonly (GraphQLArgument | GraphQLInputField)[], given: Arguments): number {
    let sum = 0
    for (const { name, type, astNode } of inputs) {
      const value = given[name]
      if (value === undefined || value === null) continue
      sum += this.#weightAt(astNode) ?? (isInputObjectType(getNamedType(type)) ? 1 : 0)
      sum += this.#weightWithin(type, value)
    }
    return sum
  }

  #weightWithin(type: GraphQLInputType, value: unknown): number {
    const named = getNamedType(type)
    if (!isInputObjectType(named)) return 0
    const objects = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]) as (Arguments | null)[]
    const fields = Object.values(named.getFields())
    return objects.reduce((sum, object) => sum + (object ? this.weightOfGiven(fields, object) : 0), 0)
  }

  #weightAt(node: Annotated): number | undefined {
    const { weight } = this.#read<{ readonly weight: string }>('cost', node) ?? {}
    if (weight === undefined) return undefined
    const number = Number(weight)
    if (weight.trim() === '' || !Number.isFinite(number)) throw new TypeError(`A weight of ${weight} is no number.`)
    return number
  }

  #read<Values>(name: string, node: Annotated): Values | undefined {
    const directive = this.#schema.getDirective(name)
    return directive && node ? (getDirectiveValues(directive, node) as Values | undefined) : undefined
  }
}

type Annotated = (ASTNode & { readonly directives?: readonly ConstDirectiveNode[] | undefined }) | null | undefined
