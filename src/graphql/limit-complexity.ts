import type { ApolloServerPlugin } from '@apollo/server'
import { ApolloServerErrorCode } from '@apollo/server/errors'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import { type ComplexityEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity'
import { AskerError } from '../kernel/errors.ts'
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../request/connection.ts'
import type { Context } from '../request/context.ts'
import { KnownComplexities } from './known-complexities.ts'
import { toGraphQLError } from './mask-errors.ts'

/** Refuses queries that could ask for more objects than `max`: each field counts one, and lists multiply what is in them. */
export function limitComplexity(max: number): ApolloServerPlugin<Context> {
  let schema: GraphQLSchema
  const counted = new KnownComplexities()
  return {
    async serverWillStart(service) {
      schema = service.schema
    },
    async requestDidStart() {
      return {
        async didResolveOperation({ request, document, operation, operationName }) {
          const variables = request.variables ?? {}
          const count = () =>
            explainBadInput(() =>
              getComplexity({
                schema,
                query: document,
                variables,
                ...(operationName === null ? {} : { operationName }),
                estimators: [introspectionEstimator, listEstimator, simpleEstimator({ defaultComplexity: 1 })],
              }),
            )
          const complexity = operation ? counted.recall(schema, document, operation, variables, count) : count()
          if (complexity <= max) return
          const message = `The query asks for up to ${complexity} fields; the server gives ${max} at once.`
          throw toGraphQLError(new AskerError('QUERY_TOO_COMPLEX', message))
        },
      }
    },
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
