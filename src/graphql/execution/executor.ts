import { ApolloServerErrorCode } from '@apollo/server/errors'
import {
  type ArgumentNode,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  locatedError,
  type OperationDefinitionNode,
  visit,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { type Clock, systemClock } from '../../kernel/clock.ts'
import { isPromise, nowOrLater, type PromiseOrValue } from '../../kernel/promise-or-value.ts'
import { type AnswerLimits, Budget } from './budget.ts'
import { Execution } from './execution.ts'
import { type Fragments, OperationPlan, type Variables } from './operation-plan.ts'
import { isMutation, type Repeat, runOperation } from './run-operation.ts'

interface ExecutorRequest {
  /** Parsed and valid. A caller that passes the same object again spares the planning: plans are kept by it. */
  readonly document: DocumentNode
  readonly operationName?: string | null | undefined
  readonly variables?: Variables | null | undefined
}

/** An operation with variables that fit it. */
export interface Prepared {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** As the schema takes them. */
  readonly variables: Variables
}

/** Executes documents as graphql-js's `execute` does. It keeps the plans of the documents that it executed most recently, and more than once. */
export class Executor {
  readonly #schema: GraphQLSchema
  readonly #limits: AnswerLimits
  readonly #clock: Clock
  readonly #kept: LRUCache<DocumentNode, DocumentPlans>
  /** Those that were run. HAZARD: see `Operations.find`. */
  readonly #run = new WeakSet<DocumentNode>()

  /** @param options.maxPlannedFields of all plans together; each takes about 770 bytes of the heap, beside its document */
  constructor(schema: GraphQLSchema, limits: AnswerLimits, { clock = systemClock, maxPlannedFields = 50_000 } = {}) {
    this.#schema = schema
    this.#limits = limits
    this.#clock = clock
    this.#kept = new LRUCache({ maxSize: maxPlannedFields })
  }

  /** Finds the operation and coerces its variables. An `ExecutionResult` holds the errors of those that can't be run. */
  prepare({ document, operationName, variables }: ExecutorRequest): Prepared | ExecutionResult {
    const operation = getOperationAST(document, operationName)
    // Lets graphql-js produce the error for a missing operation.
    if (!operation) return execute({ schema: this.#schema, document, operationName }) as ExecutionResult
    const definitions = operation.variableDefinitions ?? []
    const { coerced, errors } = getVariableValues(this.#schema, definitions, variables ?? {}, {
      maxErrors: MAX_VARIABLE_ERRORS,
    })
    if (!errors) return { document, operation, variables: coerced }
    // That there are too many names no variable: Apollo would take it for a fault of ours.
    for (const { nodes, extensions } of errors) if (!nodes) extensions.code = ApolloServerErrorCode.BAD_USER_INPUT
    return { errors }
  }

  /**
   * Runs what `prepare` made.
   * @param repeat runs a query, or what a field of a mutation shows: as often as it wants to. Default: once
   */
  run(
    { document, operation, variables }: Prepared,
    context: unknown,
    repeat: Repeat = once,
  ): PromiseOrValue<ExecutionResult> {
    const plans = this.#kept.get(document) ?? new DocumentPlans(this.#schema, document)
    const known = plans.size
    const plan = plans.planOf(operation, variables)
    const beganAt = this.#clock.elapsed()
    const begin = () =>
      new Execution({ plan, context, variables, budget: new Budget(this.#limits, this.#clock, beganAt) })
    const run = () => runOperation(begin(), repeat)
    return nowOrLater(isMutation({ plan }) ? run() : repeated(run, repeat), (result) => {
      if (plans.size !== known && this.#run.has(document)) this.#kept.set(document, plans, { size: plans.size })
      this.#run.add(document)
      return result
    })
  }
}

const once: Repeat = (run) => run()

/** If `repeat` itself fails, its error is the whole result. */
function repeated(run: () => PromiseOrValue<ExecutionResult>, repeat: Repeat): PromiseOrValue<ExecutionResult> {
  const result = repeat(run)
  return isPromise(result)
    ? result.catch((error) => ({ errors: [locatedError(error, undefined)], data: null }))
    : result
}

/** The default of graphql-js. */
const MAX_VARIABLE_ERRORS = 50

/** The plans of one document. */
class DocumentPlans {
  readonly #schema: GraphQLSchema
  readonly #fragments: Fragments
  readonly #conditions: readonly string[]
  readonly #plans = new Map<string, OperationPlan>()
  /** The number of fields in all plans, and one for each plan. */
  size = 0

  constructor(schema: GraphQLSchema, document: DocumentNode) {
    this.#schema = schema
    this.#fragments = fragmentsOf(document)
    this.#conditions = conditionsOf(document)
  }

  planOf(operation: OperationDefinitionNode, variables: Variables): OperationPlan {
    const given = this.#conditions.filter((name) => Object.hasOwn(variables, name))
    const key = [operation.name?.value, ...given.map((name) => `${name}: ${variables[name]}`)].join()
    let plan = this.#plans.get(key)
    if (!plan) {
      plan = new OperationPlan({
        schema: this.#schema,
        operation,
        fragments: this.#fragments,
        conditions: Object.fromEntries(given.map((name) => [name, variables[name]])),
        onGrowth: (fields) => {
          this.size += fields
        },
      })
      this.#plans.set(key, plan)
      this.size++
    }
    return plan
  }
}

function fragmentsOf({ definitions }: DocumentNode): Fragments {
  const fragments: Fragments = Object.create(null)
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition
  }
  return fragments
}

/** The names of the variables in `@skip` and `@include`. */
function conditionsOf(document: DocumentNode): readonly string[] {
  const names = new Set<string>()
  const collect = ({ value }: ArgumentNode) => {
    if (value.kind === Kind.VARIABLE) names.add(value.name.value)
  }
  visit(document, { Directive: (directive) => directive.arguments?.forEach(collect) })
  return [...names]
}
