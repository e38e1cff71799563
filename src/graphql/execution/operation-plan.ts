import {
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  typeFromAST,
} from 'graphql'
import { FieldPlan, type FieldPlanParts, type SelectionPlan } from './field-plan.ts'

export type Fragments = Record<string, FragmentDefinitionNode>

/** Variables as `getVariableValues` coerces them. */
export type Variables = Readonly<Record<string, unknown>>

/**
 * What is known of an operation before it runs: which fields each type has, and their arguments. Kept for the next run. A part is
 * planned when an answer first needs it, so the first run takes no longer than without a plan.
 *
 * HAZARD: valid for one set of values of the variables in `@skip` and `@include`. Other values need another plan.
 */
export class OperationPlan {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Fragments
  readonly #conditions: Variables
  readonly #onGrowth: (fields: number) => void
  #root: SelectionPlan | undefined

  /**
   * @param parts.conditions the values of the variables in `@skip` and `@include`
   * @param parts.onGrowth called with the number of fields whenever more are planned
   */
  constructor(parts: {
    readonly schema: GraphQLSchema
    readonly operation: OperationDefinitionNode
    readonly fragments: Fragments
    readonly conditions: Variables
    readonly onGrowth: (fields: number) => void
  }) {
    this.schema = parts.schema
    this.operation = parts.operation
    this.fragments = parts.fragments
    this.#conditions = parts.conditions
    this.#onGrowth = parts.onGrowth
  }

  /** The fields of the operation itself. */
  root(type: GraphQLObjectType): SelectionPlan {
    this.#root ??= this.#plan(type, [this.operation.selectionSet])
    return this.#root
  }

  readonly #planBelow: FieldPlanParts['plan'] = (nodes, type) =>
    this.#plan(
      type,
      nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
    )

  #plan(type: GraphQLObjectType, selectionSets: readonly SelectionSetNode[]): SelectionPlan {
    const found = new Map<string, [FieldNode, ...FieldNode[]]>()
    const visited = new Set<string>()
    for (const selectionSet of selectionSets) this.#collect(type, selectionSet, found, visited)
    const fields: FieldPlan[] = []
    for (const [key, nodes] of found) {
      const definition = this.#definitionOf(type, nodes[0])
      if (definition) fields.push(new FieldPlan({ key, nodes, parentType: type, definition, plan: this.#planBelow }))
    }
    this.#onGrowth(fields.length)
    return { fields, blank: blankFor(fields) }
  }

  /** The specification's CollectFields. */
  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    into: Map<string, [FieldNode, ...FieldNode[]]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD && visited.has(selection.name.value)) continue
      if (!this.#includes(selection)) continue
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value
        const nodes = into.get(key)
        if (nodes) nodes.push(selection)
        else into.set(key, [selection])
        continue
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) visited.add(selection.name.value)
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.fragments[selection.name.value] : selection
      if (fragment && this.#appliesTo(type, fragment)) this.#collect(type, fragment.selectionSet, into, visited)
    }
  }

  #includes(node: FieldNode | FragmentSpreadNode | InlineFragmentNode): boolean {
    if (!node.directives || node.directives.length === 0) return true
    if (getDirectiveValues(GraphQLSkipDirective, node, this.#conditions)?.if === true) return false
    return getDirectiveValues(GraphQLIncludeDirective, node, this.#conditions)?.if !== false
  }

  #appliesTo(type: GraphQLObjectType, { typeCondition }: FragmentDefinitionNode | InlineFragmentNode): boolean {
    if (!typeCondition) return true
    const wanted = typeFromAST(this.schema, typeCondition)
    return wanted === type || (isAbstractType(wanted) && this.schema.isSubType(wanted, type))
  }

  #definitionOf(type: GraphQLObjectType, { name }: FieldNode): GraphQLField<unknown, unknown> | undefined {
    const isRoot = type === this.schema.getQueryType()
    if (isRoot && name.value === SchemaMetaFieldDef.name) return SchemaMetaFieldDef
    if (isRoot && name.value === TypeMetaFieldDef.name) return TypeMetaFieldDef
    return name.value === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : type.getFields()[name.value]
  }
}

/** To copy an object that has all properties is quicker than to add them one by one. */
function blankFor(fields: readonly FieldPlan[]): () => Record<string, unknown> {
  const template = Object.fromEntries(fields.map(({ key }) => [key, null]))
  return () => ({ ...template })
}
