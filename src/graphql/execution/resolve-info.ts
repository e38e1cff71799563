import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLResolveInfo,
  GraphQLSchema,
  ResponsePath,
} from 'graphql'
import { type FieldPlan, pathOf } from './field-plan.ts'
import type { OperationPlan, Variables } from './operation-plan.ts'

/** The `info` of a resolver. Its parts are made if the resolver asks for them, which few do. */
export class ResolveInfo implements GraphQLResolveInfo {
  readonly #execution: PlannedRun
  readonly #field: FieldPlan
  readonly #parentPath: ResponsePath | undefined

  constructor(execution: PlannedRun, field: FieldPlan, parentPath: ResponsePath | undefined) {
    this.#execution = execution
    this.#field = field
    this.#parentPath = parentPath
  }

  get fieldName(): string {
    return this.#field.name
  }
  get fieldNodes(): readonly FieldNode[] {
    return this.#field.nodes
  }
  get returnType(): GraphQLOutputType {
    return this.#field.definition.type
  }
  get parentType(): GraphQLObjectType {
    return this.#field.parentType
  }
  get path(): ResponsePath {
    return pathOf(this.#field, this.#parentPath)
  }
  get schema(): GraphQLSchema {
    return this.#execution.plan.schema
  }
  get fragments(): Record<string, FragmentDefinitionNode> {
    return this.#execution.plan.fragments
  }
  get rootValue(): undefined {
    return undefined
  }
  get operation() {
    return this.#execution.plan.operation
  }
  get variableValues(): Record<string, unknown> {
    return this.#execution.variables
  }
}

interface PlannedRun {
  readonly plan: OperationPlan
  readonly variables: Variables
}
