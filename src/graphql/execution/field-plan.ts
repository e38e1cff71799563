import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLFieldResolver,
  GraphQLID,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLString,
  getArgumentValues,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type ValueNode,
} from 'graphql'
export interface FieldPlanParts {
  /** Its name in the answer. */
  readonly key: string
  /** Wherever it was asked for: what is below all of them is answered. */
  readonly nodes: readonly [FieldNode, ...FieldNode[]]
  readonly parentType: GraphQLObjectType
  readonly definition: GraphQLField<unknown, unknown>
  /** Plans what was asked for below, where the value is a `type`. */
  readonly plan: (nodes: readonly FieldNode[], type: GraphQLObjectType) => SelectionPlan
}

/** The fields of one object, in the order in which they are answered. */
export interface SelectionPlan {
  readonly fields: readonly FieldPlan[]
  /** A new object with a place for each of them. */
  readonly blank: () => Record<string, unknown>
}

/** One field of an object type, as one document asks for it. */
export class FieldPlan {
  readonly key: string
  readonly name: string
  readonly nodes: FieldPlanParts['nodes']
  readonly parentType: GraphQLObjectType
  readonly definition: GraphQLField<unknown, unknown>
  readonly shape: Shape
  /** Undefined: the property of that name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined
  /**
   * The same every time. Undefined where they hold variables, or are wrong: that is found out, and told, by every object
   * that has the field. HAZARD: shared; resolvers must not change what they are given.
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

  /** What was asked for of its value, where that is a `type`. Planned when it is first needed. */
  below(type: GraphQLObjectType): SelectionPlan {
    let selection = this.#below.get(type)
    if (!selection) {
      selection = this.#plan(this.nodes, type)
      this.#below.set(type, selection)
    }
    return selection
  }
}

export type Arguments = Readonly<Record<string, unknown>>

/** An output type, taken apart once. */
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
