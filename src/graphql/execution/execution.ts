import {
  defaultTypeResolver,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  getArgumentValues,
  locatedError,
  type ResponsePath,
  responsePathAsArray,
} from 'graphql'
import { inspect } from 'graphql/jsutils/inspect.js'
import { isIterableObject } from 'graphql/jsutils/isIterableObject.js'
import { isPromise } from 'graphql/jsutils/isPromise.js'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Budget } from './budget.ts'
import { FieldErrors } from './field-errors.ts'
import {
  type Arguments,
  type FieldPlan,
  fieldPath,
  objectType,
  pathOf,
  type SelectionPlan,
  type Shape,
} from './field-plan.ts'
import type { OperationPlan, Variables } from './operation-plan.ts'
import { ResolveInfo } from './resolve-info.ts'

interface ExecutionParts {
  readonly plan: OperationPlan
  readonly context: unknown
  readonly variables: Variables
  readonly budget: Budget
}

/** One run of a plan: resolves fields, and completes their values. It takes the steps that graphql-js takes, and waits if graphql-js waits. */
export class Execution {
  readonly plan: OperationPlan
  readonly variables: Variables
  readonly #context: unknown
  #budget: Budget
  readonly #errors = new FieldErrors()
  readonly #arguments = new Map<FieldPlan, Arguments>()

  constructor({ plan, context, variables, budget }: ExecutionParts) {
    this.plan = plan
    this.#context = context
    this.variables = variables
    this.#budget = budget
  }

  get budget(): Budget {
    return this.#budget
  }

  /** The errors so far. */
  get errors(): readonly GraphQLError[] {
    return this.#errors.list
  }

  /** Another execution of the same operation, which has no errors yet. */
  copy(): Execution {
    const { plan, variables } = this
    return new Execution({ plan, variables, context: this.#context, budget: this.#budget.copy() })
  }

  /** Counts what a copy has cost, and the errors that it found. */
  adopt(copy: Execution): void {
    if (copy === this) return
    this.#budget = copy.#budget
    this.#errors.take(copy.#errors)
  }

  /** What fails from now on is no part of the answer. */
  end(): void {
    this.#errors.end()
  }

  /** Adds an error that ends the execution. */
  fail(error: unknown): void {
    const located = error === this.#budget.overdrawn ? locatedError(error, undefined) : error
    this.#errors.add(located as GraphQLError, undefined)
  }

  /** Executes the fields of an object. */
  executeFields(
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
      // The other fields may reject too, and an unhandled rejection would end the process.
      return arrived(answer).finally(() => {
        throw error
      })
    }
    return waits ? arrived(answer) : answer
  }

  #executeField(field: FieldPlan, source: unknown, parentPath: ResponsePath | undefined): unknown {
    let path: ResponsePath | undefined
    this.#budget.takeBytes(field.key.length + 4)
    try {
      const value = this.resolve(field, source, parentPath)
      const { shape } = field
      if ((shape.kind === 'text' || shape.kind === 'leaf') && !isPromise(value))
        return this.#complete(shape, field, undefined, value)
      path = pathOf(field, parentPath)
      if (isPromise(value)) return this.#await(this.#completeLater(value, shape, field, path), shape, field, path)
      const completed = this.#complete(shape, field, path, value)
      return completed instanceof Promise ? this.#await(completed, shape, field, path) : completed
    } catch (error) {
      return this.giveUp(error, field.shape, field, path ?? pathOf(field, parentPath))
    }
  }

  /** What the resolver of a field returns. */
  resolve(field: FieldPlan, source: unknown, parentPath: ResponsePath | undefined): unknown {
    const args = field.args ?? this.#argumentsOf(field)
    if (field.resolve) return field.resolve(source, args, this.#context, new ResolveInfo(this, field, parentPath))
    if ((typeof source !== 'object' || source === null) && typeof source !== 'function') return undefined
    const property = (source as Record<string, unknown>)[field.name]
    if (typeof property !== 'function') return property
    return property.call(source, args, this.#context, new ResolveInfo(this, field, parentPath))
  }

  /** The arguments are the same for all objects that have the field, so they are made once. */
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
      case 'leaf': {
        const leaf = shape.kind === 'text' && typeof value === 'string' ? value : serialize(shape.type, value)
        if (typeof leaf === 'string') this.#budget.takeBytes(leaf.length)
        return leaf
      }
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
    if (!isIterableObject(list)) {
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
        const completed = this.completeOrGiveUp(item, field, path, values[index])
        if (completed instanceof Promise) waits = true
        answer[index] = completed
      }
    } catch (error) {
      // graphql-js does not do this: there a later rejection ends the process.
      if (waits) Promise.allSettled(answer)
      throw error
    }
    return waits ? Promise.all(answer) : answer
  }

  /** Completes a value where null may stand if that fails. Throws, or rejects, if it may not. */
  completeOrGiveUp(shape: Shape, field: FieldPlan, path: ResponsePath, value: unknown): unknown {
    try {
      if (isPromise(value)) return this.#await(this.#completeLater(value, shape, field, path), shape, field, path)
      const completed = this.#complete(shape, field, path, value)
      return completed instanceof Promise ? this.#await(completed, shape, field, path) : completed
    } catch (error) {
      return this.giveUp(error, shape, field, path)
    }
  }

  // Two methods of their own: a function that holds closures is slower even if it makes none of them.

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
    return completed.then(undefined, (error) => this.giveUp(error, shape, field, path))
  }

  #completeAbstract(type: GraphQLAbstractType, field: FieldPlan, path: ResponsePath | undefined, value: unknown) {
    const resolveType = type.resolveType ?? defaultTypeResolver
    const info = new ResolveInfo(this, field, fieldPath(path)?.prev)
    const completeAs = (name: unknown) =>
      this.#completeObject(objectType(name, type, field, this.plan.schema, value), field, path, value)
    const name = resolveType(value, this.#context, info, type)
    return isPromise(name) ? name.then(completeAs) : completeAs(name)
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
      : this.executeFields(selection, value, path)
  }

  #completeIfTypeOf(
    type: GraphQLObjectType,
    selection: SelectionPlan,
    field: FieldPlan,
    path: ResponsePath | undefined,
    value: unknown,
  ): PromiseOrValue<Answer> {
    const execute = (isTypeOf: boolean | undefined) => {
      if (isTypeOf) return this.executeFields(selection, value, path)
      throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, {
        nodes: field.nodes,
      })
    }
    const isTypeOf = type.isTypeOf?.(value, this.#context, new ResolveInfo(this, field, fieldPath(path)?.prev))
    return isPromise(isTypeOf) ? isTypeOf.then(execute) : execute(isTypeOf)
  }

  /** Answers null for a value that failed. Throws on if it must not be null: then the value around it becomes null. */
  giveUp(error: unknown, { nonNull }: Shape, { nodes }: FieldPlan, path: ResponsePath | undefined): null {
    const isNew = !(error instanceof GraphQLError && error.path)
    if (isNew || this.#budget.overdrawn) this.#budget.takeError()
    const located = locatedError(error, nodes, responsePathAsArray(path))
    if (nonNull) throw located
    this.#errors.add(located, path)
    return null
  }
}

export type Answer = Record<string, unknown>

const arrived = (answer: Answer): Promise<Answer> =>
  Promise.all(Object.values(answer)).then((values) => {
    for (const [index, key] of Object.keys(answer).entries()) answer[key] = values[index]
    return answer
  })

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const serialized = type.serialize(value)
  if (serialized !== null && serialized !== undefined) return serialized
  throw new Error(
    `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(serialized)}`,
  )
}
