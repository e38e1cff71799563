import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLField,
  type GraphQLFieldResolver,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  getArgumentValues,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type ResponsePath,
  type ValueNode,
} from 'graphql'
import { inspect } from 'graphql/jsutils/inspect.js'

export interface FieldPlanParts {
  /** The name of the field in the answer: its alias, if it has one. */
  readonly key: string
  /** All places in the document that select the field. Their selections are merged. */
  readonly nodes: readonly [FieldNode, ...FieldNode[]]
  readonly parentType: GraphQLObjectType
  readonly definition: GraphQLField<unknown, unknown>
  /** Plans the fields below `nodes` for a value that is a `type`. */
  readonly plan: (nodes: readonly FieldNode[], type: GraphQLObjectType) => SelectionPlan
}

/** The fields of one object, in the order in which they are answered. */
export interface SelectionPlan {
  readonly fields: readonly FieldPlan[]
  /** Makes an object with each field set to null. */
  readonly blank: () => Record<string, unknown>
}

/** One field of an object type as one document selects it. */
export class FieldPlan {
  readonly key: string
  readonly name: string
  readonly nodes: FieldPlanParts['nodes']
  readonly parentType: GraphQLObjectType
  readonly definition: GraphQLField<unknown, unknown>
  readonly shape: Shape
  /** Undefined: the value is the property of that name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined
  /**
   * The arguments. Undefined if they hold variables or are wrong: then each object that has the field reports the error.
   * HAZARD: shared by all requests. Resolvers must not change them.
   */
  readonly args: Arguments | undefined
  readonly #plan: FieldPlanParts['plan']
  readonly #below = new Map<GraphQLObjectType, SelectionPlan>()

  constructor({ key, nodes, parentType, definition, plan }: FieldPlanParts) {
    this.#plan = plan
    this.key = key
    this.name = definition.name
    this.nodes = nodes
    this.parentType = parentType
    this.definition = definition
    this.shape = shapeOf(definition.type)
    this.resolve = definition.resolve === defaultFieldResolver ? undefined : definition.resolve
    this.args = fixedArguments(definition, nodes[0])
  }

  /** The fields to answer of a value that is a `type`. Planned when it is first needed. */
  below(type: GraphQLObjectType): SelectionPlan {
    let selection = this.#below.get(type)
    if (!selection) {
      selection = this.#plan(this.nodes, type)
      this.#below.set(type, selection)
    }
    return selection
  }
}

/** The path of a field, from that of its parent object. */
export const pathOf = ({ key, parentType }: FieldPlan, prev: ResponsePath | undefined): ResponsePath => ({
  prev,
  key,
  typename: parentType.name,
})

/** The path of the field that `path` is, or lies in: without the indexes of lists at its end. */
export function fieldPath(path: ResponsePath | undefined): ResponsePath | undefined {
  let place = path
  while (place && typeof place.key === 'number') place = place.prev
  return place
}

export type Arguments = Readonly<Record<string, unknown>>

/** An output type, with its wrappers taken off. */
export type Shape = { readonly nonNull: boolean } & (
  | { readonly kind: 'text'; readonly type: GraphQLLeafType }
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType }
)

function shapeOf(type: GraphQLOutputType, nonNull = false): Shape {
  if (isNonNullType(type)) return shapeOf(type.ofType, true)
  if (isListType(type)) return { kind: 'list', nonNull, item: shapeOf(type.ofType) }
  if (isObjectType(type)) return { kind: 'object', nonNull, type }
  if (isAbstractType(type)) return { kind: 'abstract', nonNull, type }
  return { kind: type === GraphQLString || type === GraphQLID ? 'text' : 'leaf', nonNull, type }
}

function fixedArguments(definition: GraphQLField<unknown, unknown>, node: FieldNode): Arguments | undefined {
  if (node.arguments?.some(({ value }) => holdsVariable(value))) return undefined
  try {
    return Object.freeze(getArgumentValues(definition, node))
  } catch {
    return undefined
  }
}

function holdsVariable(value: ValueNode): boolean {
  switch (value.kind) {
    case Kind.VARIABLE:
      return true
    case Kind.LIST:
      return value.values.some(holdsVariable)
    case Kind.OBJECT:
      return value.fields.some((field) => holdsVariable(field.value))
    default:
      return false
  }
}

/** The object type that `resolveType` named for a value of an abstract type. Throws the errors of graphql-js if it may not be that. */
export function objectType(
  name: unknown,
  abstract: GraphQLAbstractType,
  { nodes, parentType, name: fieldName }: FieldPlan,
  schema: GraphQLSchema,
  value: unknown,
): GraphQLObjectType {
  const field = `"${parentType.name}.${fieldName}"`
  if (name === null || name === undefined) {
    const message = `Abstract type "${abstract.name}" must resolve to an Object type at runtime for field ${field}. Either the "${abstract.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`
    throw new GraphQLError(message, { nodes })
  }
  if (typeof name !== 'string') {
    const message = `Abstract type "${abstract.name}" must resolve to an Object type at runtime for field ${field} with value ${inspect(value)}, received "${inspect(name)}".`
    throw new GraphQLError(message)
  }
  const type = schema.getType(name)
  const refuse = (why: string) => {
    throw new GraphQLError(why, { nodes })
  }
  if (!type) {
    return refuse(
      `Abstract type "${abstract.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
    )
  }
  if (!isObjectType(type))
    return refuse(`Abstract type "${abstract.name}" was resolved to a non-object type "${name}".`)
  if (!schema.isSubType(abstract, type)) {
    return refuse(`Runtime Object type "${name}" is not a possible type for "${abstract.name}".`)
  }
  return type
}
