import {
  defaultTypeResolver,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  isObjectType,
  locatedError,
  OperationTypeNode,
  type ResponsePath,
  responsePathAsArray,
} from 'graphql'
import { inspect } from 'graphql/jsutils/inspect.js'
import { isPromise } from 'graphql/jsutils/isPromise.js'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Arguments, FieldPlan, SelectionPlan, Shape } from './field-plan.ts'
import type { OperationPlan, Variables } from './operation-plan.ts'

/**
 * One run of a plan. Answers what graphql-js's `execute` would, to the letter, errors and their order included: it goes
 * the same ways, and waits where that waits. `execution.test.ts` compares the two.
 */
export class Execution {
  readonly plan: OperationPlan
  readonly variables: Variables
  readonly #context: unknown
  readonly #errors = new FieldErrors()
  readonly #arguments = new Map<FieldPlan, Arguments>()

  constructor(plan: OperationPlan, context: unknown, variables: Variables) {
    this.plan = plan
    this.#context = context
    this.variables = variables
  }

  run(): PromiseOrValue<ExecutionResult> {
    try {
      const data = this.#executeOperation()
      return isPromise(data) ? data.then(this.#succeed, this.#fail) : this.#succeed(data)
    } catch (error) {
      return this.#fail(error)
    }
  }

  readonly #succeed = (data: Answer): ExecutionResult => {
    const { list } = this.#errors
    return list.length === 0 ? { data } : { errors: list, data }
  }

  readonly #fail = (error: unknown): ExecutionResult => {
    this.#errors.add(error as GraphQLError, undefined)
    return { errors: this.#errors.list, data: null }
  }

  #executeOperation(): PromiseOrValue<Answer> {
    const { schema, operation } = this.plan
    const type = schema.getRootType(operation.operation)
    if (!type) {
      const message = `Schema is not configured to execute ${operation.operation} operation.`
      throw new GraphQLError(message, { nodes: operation })
    }
    const selection = this.plan.root(type)
    return operation.operation === OperationTypeNode.MUTATION
      ? this.#executeSerially(selection)
      : this.#executeFields(selection, undefined, undefined)
  }

  /** Each once those before it are done. */
  #executeSerially({ fields, blank }: SelectionPlan): PromiseOrValue<Answer> {
    const answer = blank()
    let before: PromiseOrValue<Answer> = answer
    const execute = (field: FieldPlan): PromiseOrValue<Answer> => {
      const value = this.#executeField(field, undefined, undefined)
      if (value instanceof Promise) {
        return value.then((arrived) => {
          answer[field.key] = arrived
          return answer
        })
      }
      answer[field.key] = value
      return answer
    }
    for (const field of fields) before = isPromise(before) ? before.then(() => execute(field)) : execute(field)
    return before
  }

  #executeFields(
    { fields, blank }: SelectionPlan,
    source: unknown,
    path: ResponsePath | undefined,
  ): PromiseOrValue<Answer> {
    const answer = blank()
    let waits = false
    try {
      for (const field of fields) {
        const value = this.#executeField(field, source, path)
        answer[field.key] = value
        if (value instanceof Promise) waits = true
      }
    } catch (error) {
      if (!waits) throw error
      // The others may fail too, and somebody must look.
      return arrived(answer).finally(() => {
        throw error
      })
    }
    return waits ? arrived(answer) : answer
  }

  #executeField(field: FieldPlan, source: unknown, parentPath: ResponsePath | undefined): unknown {
    let path: ResponsePath | undefined
    try {
      const value = this.#resolve(field, source, parentPath)
      const { shape } = field
      if ((shape.kind === 'text' || shape.kind === 'leaf') && !isPromise(value))
        return this.#complete(shape, field, undefined, value)
      path = pathOf(field, parentPath)
      if (isPromise(value)) return this.#await(this.#completeLater(value, shape, field, path), shape, field, path)
      const completed = this.#complete(shape, field, path, value)
      return completed instanceof Promise ? this.#await(completed, shape, field, path) : completed
    } catch (error) {
      return this.#giveUp(error, field.shape, field, path ?? pathOf(field, parentPath))
    }
  }

  #resolve(field: FieldPlan, source: unknown, parentPath: ResponsePath | undefined): unknown {
    const args = field.args ?? this.#argumentsOf(field)
    if (field.resolve) return field.resolve(source, args, this.#context, new ResolveInfo(this, field, parentPath))
    if ((typeof source !== 'object' || source === null) && typeof source !== 'function') return undefined
    const property = (source as Record<string, unknown>)[field.name]
    if (typeof property !== 'function') return property
    return property.call(source, args, this.#context, new ResolveInfo(this, field, parentPath))
  }

  /** Once for all objects that have the field. */
  #argumentsOf(field: FieldPlan): Arguments {
    let args = this.#arguments.get(field)
    if (!args) {
      args = Object.freeze(getArgumentValues(field.definition, field.nodes[0], this.variables))
      this.#arguments.set(field, args)
    }
    return args
  }

  /** The specification's CompleteValue. */
  #complete(shape: Shape, field: FieldPlan, path: ResponsePath | undefined, value: unknown): unknown {
    if (value instanceof Error) throw value
    if (value === null || value === undefined) {
      if (!shape.nonNull) return null
      throw new Error(`Cannot return null for non-nullable field ${field.parentType.name}.${field.name}.`)
    }
    switch (shape.kind) {
      case 'text':
        if (typeof value === 'string') return value
        return serialize(shape.type, value)
      case 'leaf':
        return serialize(shape.type, value)
      case 'list':
        return this.#completeList(shape.item, field, path, value)
      case 'object':
        return this.#completeObject(shape.type, field, path, value)
      case 'abstract':
        return this.#completeAbstract(shape.type, field, path, value)
    }
  }

  #completeList(
    item: Shape,
    field: FieldPlan,
    listPath: ResponsePath | undefined,
    list: unknown,
  ): PromiseOrValue<unknown[]> {
    if (!isIterable(list)) {
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${field.parentType.name}.${field.name}".`,
      )
    }
    const values = Array.isArray(list) ? list : [...list]
    const answer: unknown[] = new Array(values.length)
    let waits = false
    try {
      for (let index = 0; index < values.length; index++) {
        const path: ResponsePath = { prev: listPath, key: index, typename: undefined }
        const completed = this.#completeItem(item, field, path, values[index])
        if (completed instanceof Promise) waits = true
        answer[index] = completed
      }
    } catch (error) {
      // Here graphql-js looks away, and what fails then ends the process.
      if (waits) Promise.allSettled(answer)
      throw error
    }
    return waits ? Promise.all(answer) : answer
  }

  #completeItem(shape: Shape, field: FieldPlan, path: ResponsePath, value: unknown): unknown {
    try {
      if (isPromise(value)) return this.#await(this.#completeLater(value, shape, field, path), shape, field, path)
      const completed = this.#complete(shape, field, path, value)
      return completed instanceof Promise ? this.#await(completed, shape, field, path) : completed
    } catch (error) {
      return this.#giveUp(error, shape, field, path)
    }
  }

  // These two stand by themselves: a function that makes functions pays for it also where it doesn't.

  #completeLater(
    value: Promise<unknown>,
    shape: Shape,
    field: FieldPlan,
    path: ResponsePath | undefined,
  ): Promise<unknown> {
    return Promise.resolve(value).then((arrived) => this.#complete(shape, field, path, arrived))
  }

  #await(
    completed: Promise<unknown>,
    shape: Shape,
    field: FieldPlan,
    path: ResponsePath | undefined,
  ): Promise<unknown> {
    return completed.then(undefined, (error) => this.#giveUp(error, shape, field, path))
  }

  #completeAbstract(type: GraphQLAbstractType, field: FieldPlan, path: ResponsePath | undefined, value: unknown) {
    const resolveType = type.resolveType ?? defaultTypeResolver
    const info = new ResolveInfo(this, field, fieldPath(path)?.prev)
    const name = resolveType(value, this.#context, info, type)
    return isPromise(name)
      ? name.then((name) => this.#completeAs(name, type, field, path, value))
      : this.#completeAs(name, type, field, path, value)
  }

  #completeAs(
    name: unknown,
    type: GraphQLAbstractType,
    field: FieldPlan,
    path: ResponsePath | undefined,
    value: unknown,
  ) {
    return this.#completeObject(objectType(name, type, field, this.plan.schema, value), field, path, value)
  }

  #completeObject(
    type: GraphQLObjectType,
    field: FieldPlan,
    path: ResponsePath | undefined,
    value: unknown,
  ): PromiseOrValue<Answer> {
    const selection = field.below(type)
    return type.isTypeOf
      ? this.#completeIfTypeOf(type, selection, field, path, value)
      : this.#executeFields(selection, value, path)
  }

  #completeIfTypeOf(
    type: GraphQLObjectType,
    selection: SelectionPlan,
    field: FieldPlan,
    path: ResponsePath | undefined,
    value: unknown,
  ): PromiseOrValue<Answer> {
    const execute = (isTypeOf: boolean | undefined) => {
      if (isTypeOf) return this.#executeFields(selection, value, path)
      throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, {
        nodes: field.nodes,
      })
    }
    const isTypeOf = type.isTypeOf?.(value, this.#context, new ResolveInfo(this, field, fieldPath(path)?.prev))
    return isPromise(isTypeOf) ? isTypeOf.then(execute) : execute(isTypeOf)
  }

  /** Null in place of what failed, or in place of what is around it. */
  #giveUp(error: unknown, { nonNull }: Shape, { nodes }: FieldPlan, path: ResponsePath | undefined): null {
    const located = locatedError(error, nodes, responsePathAsArray(path))
    if (nonNull) throw located
    this.#errors.add(located, path)
    return null
  }
}

type Answer = Record<string, unknown>

/** The errors of an answer. What fails below a place that is null already is not told. */
class FieldErrors {
  readonly list: GraphQLError[] = []
  readonly #places = new Set<ResponsePath | undefined>()

  add(error: GraphQLError, path: ResponsePath | undefined): void {
    for (let place = path; place; place = place.prev) if (this.#places.has(place)) return
    if (this.#places.has(undefined)) return
    this.#places.add(path)
    this.list.push(error)
  }
}

/** What a resolver may ask of the field it resolves. Few do. */
class ResolveInfo implements GraphQLResolveInfo {
  readonly #execution: Execution
  readonly #field: FieldPlan
  readonly #parentPath: ResponsePath | undefined

  constructor(execution: Execution, field: FieldPlan, parentPath: ResponsePath | undefined) {
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

const pathOf = ({ key, parentType }: FieldPlan, prev: ResponsePath | undefined): ResponsePath => ({
  prev,
  key,
  typename: parentType.name,
})

/** The path of the field that a place in its value, or in a list of that, belongs to. */
function fieldPath(path: ResponsePath | undefined): ResponsePath | undefined {
  let place = path
  while (place && typeof place.key === 'number') place = place.prev
  return place
}

const arrived = (answer: Answer): Promise<Answer> =>
  Promise.all(Object.values(answer)).then((values) => {
    for (const [index, key] of Object.keys(answer).entries()) answer[key] = values[index]
    return answer
  })

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function'

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const serialized = type.serialize(value)
  if (serialized !== null && serialized !== undefined) return serialized
  throw new Error(
    `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(serialized)}`,
  )
}

/** The object type that a value of an abstract type turned out to be. */
function objectType(
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
