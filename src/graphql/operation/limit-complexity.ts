import { ApolloServerErrorCode } from '@apollo/server/errors'
import { type DocumentNode, GraphQLError, type GraphQLSchema, getOperationAST } from 'graphql'
import { type ComplexityEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity'
import { AskerError } from '../../kernel/errors.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, toGraphQLError } from '../resolving/index.ts'
import { KnownComplexities } from './known-complexities.ts'

/** A valid document, and what of it is to be run. */
export interface Asked {
  readonly document: DocumentNode
  readonly operationName: string | null | undefined
  readonly variables: Readonly<Record<string, unknown>> | null | undefined
}

/** Throws for operations that could ask for more objects than `max`: each field counts one, and lists multiply what is in them. */
export function limitComplexity(schema: GraphQLSchema, max: number): (asked: Asked) => void {
  const counted = new KnownComplexities()
  return ({ document, operationName, variables: given }) => {
    const variables = given ?? {}
    const count = () =>
      explainBadInput(() =>
        getComplexity({
          schema,
          query: document,
          variables,
          ...(operationName == null ? {} : { operationName }),
          estimators: [introspectionEstimator, listEstimator, simpleEstimator({ defaultComplexity: 1 })],
        }),
      )
    const operation = getOperationAST(document, operationName)
    const complexity = operation ? counted.recall(schema, document, operation, variables, count) : count()
    if (complexity <= max) return
    const message = `The query asks for up to ${complexity} fields; the server gives ${max} at once.`
    throw toGraphQLError(new AskerError('QUERY_TOO_COMPLEX', message))
  }
}

/** Variables and arguments of the wrong type come to light while their fields are counted. Such a query is not run: its cost is unknown. */
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
