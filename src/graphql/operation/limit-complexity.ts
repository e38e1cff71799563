import { ApolloServerErrorCode } from '@apollo/server/errors'
import { type DocumentNode, GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import { type ComplexityEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity'
import { ClientError } from '../../kernel/errors.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../resolving/index.ts'

/** An operation of a valid document, and its variables as the schema takes them. */
export interface Counted {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
  /** Its variables as they came. */
  readonly given: Readonly<Record<string, unknown>> | null | undefined
}

/** Throws for operations that could ask for more objects than `max`: each field counts one, and lists multiply what is in them. */
export function limitComplexity(schema: GraphQLSchema, max: number): (counted: Counted) => void {
  const known = new KnownComplexities()
  return ({ document, operation, variables, given }) => {
    const name = operation.name?.value
    const complexity = known.recall(document, operation, variables, () =>
      explainBadInput(() =>
        getComplexity({
          schema,
          query: document,
          variables: given ?? {},
          ...(name === undefined ? {} : { operationName: name }),
          estimators: [introspectionEstimator, listEstimator, simpleEstimator({ defaultComplexity: 1 })],
        }),
      ),
    )
    if (complexity <= max) return
    const message = `The query asks for up to ${complexity} fields; the server gives ${max} at once.`
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

/** The schema is no bigger than it is, and graphql-js bounds how deep it is asked for: it needn't be multiplied. */
const introspectionEstimator: ComplexityEstimator = ({ type, childComplexity }) =>
  type.name.startsWith('__') ? 1 + childComplexity : undefined

/** A page is as long as `first` or `last` says, `nodes` as its ids, a list without either counted as 10. */
const listEstimator: ComplexityEstimator = ({ type, field, args, childComplexity }) => {
  const { first, last, ids } = args as { first?: number | null; last?: number | null; ids?: unknown[] }
  if (ids) return 1 + ids.length * childComplexity
  if (String(field.type).includes('Connection')) {
    // What is beyond the bounds is refused later. It must not count below nothing here, and so make room for the rest.
    const length = Math.min(Math.max(last ?? first ?? DEFAULT_PAGE_SIZE, 0), MAX_PAGE_SIZE)
    return 1 + length * childComplexity
  }
  // Within a connection the page has been counted.
  const isList = String(field.type).includes('[') && !type.name.endsWith('Connection')
  return isList ? 1 + 10 * childComplexity : undefined
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

/** What of a variable can count: numbers, for how long a page is; booleans, for what is skipped; lists, for their length; and whether there is one at all. */
function weight(value: unknown): string {
  if (Array.isArray(value)) return `list of ${value.length}`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return 'given'
}
