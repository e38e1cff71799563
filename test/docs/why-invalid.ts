import { makeExecutableSchema } from '@graphql-tools/schema'
import { parse, validate } from 'graphql'
import { readSchema } from '../../src/graphql/schema/index.ts'

export const schema = makeExecutableSchema({ typeDefs: readSchema() })

/** What is wrong with an executable document, by our schema. */
export const whyInvalid = (document: string): string[] =>
  validate(schema, parse(document)).map(({ message }) => message)
