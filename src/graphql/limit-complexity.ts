import type { ApolloServerPlugin } from '@apollo/server'
import type { GraphQLSchema } from 'graphql'
import { type ComplexityEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity'
import { AskerError } from '../kernel/errors.ts'
import type { Context } from '../request/context.ts'
import { toGraphQLError } from './mask-errors.ts'

/** Refuses queries that could ask for more objects than `max`: each field counts one, and lists multiply what is in them. */
export function limitComplexity(max: number): ApolloServerPlugin<Context> {
  let schema: GraphQLSchema
  return {
    async serverWillStart(service) {
      schema = service.schema
    },
    async requestDidStart() {
      return {
        async didResolveOperation({ request, document, operationName }) {
          const complexity = getComplexity({
            schema,
            query: document,
            variables: request.variables ?? {},
            ...(operationName === null ? {} : { operationName }),
            estimators: [listEstimator, simpleEstimator({ defaultComplexity: 1 })],
          })
          if (complexity <= max) return
          const message = `The query asks for up to ${complexity} fields; the server gives ${max} at once.`
          throw toGraphQLError(new AskerError('QUERY_TOO_COMPLEX', message))
        },
      }
    },
  }
}

/** A page is as long as `first` or `last` says, `nodes` as its ids, a list without either counted as 10. */
const listEstimator: ComplexityEstimator = ({ type, field, args, childComplexity }) => {
  const { first, last, ids } = args as { first?: number; last?: number; ids?: unknown[] }
  if (ids) return 1 + ids.length * childComplexity
  if (String(field.type).includes('Connection')) return 1 + (last ?? first ?? 20) * childComplexity
  // Within a connection the page has been counted.
  const isList = String(field.type).includes('[') && !type.name.endsWith('Connection')
  return isList ? 1 + 10 * childComplexity : undefined
}
