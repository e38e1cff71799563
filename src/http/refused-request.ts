import { ApolloServerErrorCode } from '@apollo/server/errors'
import { GraphQLError } from 'graphql'

/** A request that HTTP itself refuses, before anything in it is read as GraphQL. Its message is safe to show. */
export class RefusedRequest extends GraphQLError {
  constructor(status: 400 | 405 | 413 | 415, message: string) {
    super(message, { extensions: { code: ApolloServerErrorCode.BAD_REQUEST, http: { status } } })
  }
}
