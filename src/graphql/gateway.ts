import type { ApolloServerOptions } from '@apollo/server'
import type { GraphQLSchema } from 'graphql'
import type { Context } from './resolving/index.ts'

/** What Apollo calls a gateway. It hands on the schema, and the result that `answerBy` has. */
export function gatewayTo(schema: GraphQLSchema): NonNullable<ApolloServerOptions<Context>['gateway']> {
  return {
    onSchemaLoadOrUpdate: (tell) => {
      tell({ apiSchema: schema, coreSupergraphSdl: '' })
      return () => {}
    },
    load: async () => ({
      executor: async ({ context }) => {
        const { result } = (context as Context).progress
        if (!result) throw new TypeError('An operation has not been executed.')
        return result
      },
    }),
    stop: async () => {},
  }
}
