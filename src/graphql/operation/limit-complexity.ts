import { ApolloServerErrorCode } from '@apollo/server/errors'
import { type DocumentNode, GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity'
import { ClientError } from '../../kernel/errors.ts'
import { type Context, MAX_PAGE_SIZE } from '../resolving/index.ts'
import { fieldPrices } from '../schema/index.ts'

/** An operation of a valid document, and its variables as the schema takes them. */
interface Counted {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
}

/** Returns what the operation costs. @param given its variables as they came */
type LimitComplexity = (
  counted: Counted,
  given: Readonly<Record<string, unknown>> | null | undefined,
  role: Context['role'],
) => number

/** What an operation may cost, by the role of the viewer. */
export type CostLimits = Readonly<Record<Context['role'], number>>

/**
 * Returns what counts the cost of an operation before it is run: the price of each field (see `fieldPrices`), times the lengths
 * of the lists that it is in. `graphql-query-complexity` counts what the object of a list holds as one sum, so what stands beside
 * a sized field, such as `pageInfo`, is multiplied too: the cost is never below that of the specification. It throws QUERY_TOO_COMPLEX (400) if that is more than the role may ask for.
 */
export function limitComplexity(schema: GraphQLSchema, limits: CostLimits): LimitComplexity {
  const estimators = [pricedBy(fieldPrices(schema, MAX_PAGE_SIZE))]
  const known = new KnownComplexities()
  return ({ document, operation, variables }, given, role) => {
    const name = operation.name?.value
    const cost = known.recall(document, operation, variables, () =>
      explainBadInput(() =>
        getComplexity({
          schema,
          query: document,
          variables: given ?? {},
          ...(name === undefined ? {} : { operationName: name }),
          estimators,
          // `parseWithin` bounds them.
          maxQueryNodes: Number.POSITIVE_INFINITY,
        }),
      ),
    )
    const max = limits[role]
    if (cost <= max) return cost
    const message = `The operation would cost up to ${cost}; the server gives ${max} at once.`
    throw new ClientError('QUERY_TOO_COMPLEX', message, { status: 400 })
  }
}

/** Arguments of the wrong type come to light while their fields are counted. Such a query is not run: its cost is unknown. */
function explainBadInput(count: () => number): number {
  try {
    return count()
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    const code = ApolloServerErrorCode.BAD_USER_INPUT
    throw new GraphQLError(error.message, { originalError: error, extensions: { code, http: { status: 400 } } })
  }
}

/** Introspection is not priced: the schema is no bigger than it is, and its depth is bounded. */
const pricedBy =
  (priceOf: ReturnType<typeof fieldPrices>): ComplexityEstimator =>
  ({ field, args, childComplexity }) => {
    const price = priceOf(field)
    return price ? price.own(args) + price.size(args) * childComplexity : 1 + childComplexity
  }

/** Remembers what was counted, for as long as its document is kept: cursors and names change with each request, and count nothing. */
export class KnownComplexities {
  readonly #known = new WeakMap<DocumentNode, Map<string, number>>()

  /** What `count` gives, or once gave for variables that differ in nothing that counts. What it throws is not remembered. */
  recall(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    count: () => number,
  ): number {
    const weights = Object.entries(variables).map(([name, value]) => `${name}: ${weight(value)}`)
    const name = [operation.name?.value, ...weights].join()
    const known = this.#knownOf(document)
    let complexity = known.get(name)
    if (complexity === undefined) {
      complexity = count()
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(name, complexity)
    }
    return complexity
  }

  #knownOf(document: DocumentNode): Map<string, number> {
    const known = this.#known.get(document) ?? new Map<string, number>()
    this.#known.set(document, known)
    return known
  }
}

/** For each document. */
const MAX_KNOWN = 32

/** What of a variable can count: numbers, for how long a page is; booleans, for what is skipped; lists, for their length; fields of objects, for what they weigh; and whether there is one at all. */
function weight(value: unknown): string {
  if (Array.isArray(value)) return `list of ${value.length}${value.some(isObject) ? `: ${value.map(weight)}` : ''}`
  if (isObject(value)) return `{${Object.entries(value).map(([name, field]) => `${name}: ${weight(field)}`)}}`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return 'given'
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
