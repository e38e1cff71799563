import {
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql'
import { inspect } from 'graphql/jsutils/inspect.js'
import type { FieldPlan } from './field-plan.ts'

/** The object type that `resolveType` named for a value of an abstract type. Throws the errors of graphql-js if it may not be that. */
export function objectType(
  name: unknown,
  abstract: GraphQLAbstractType,
  { nodes, parentType, name: fieldName }: FieldPlan,
  schema: GraphQLSchema,
  value: unknown,
): GraphQLObjectType {
  const field = `"${parentType.name}.${fieldName}"`
  if (name === null || name === undefined) {
    const message = `Abstract type "${abstract.name}" must resolve to an Object type at runtime for field ${field}. Either the "${abstract.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`
    throw new GraphQLError(message, { nodes })
  }
  if (typeof name !== 'string') {
    const message = `Abstract type "${abstract.name}" must resolve to an Object type at runtime for field ${field} with value ${inspect(value)}, received "${inspect(name)}".`
    throw new GraphQLError(message)
  }
  const type = schema.getType(name)
  const refuse = (why: string) => {
    throw new GraphQLError(why, { nodes })
  }
  if (!type) {
    return refuse(
      `Abstract type "${abstract.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
    )
  }
  if (!isObjectType(type))
    return refuse(`Abstract type "${abstract.name}" was resolved to a non-object type "${name}".`)
  if (!schema.isSubType(abstract, type)) {
    return refuse(`Runtime Object type "${name}" is not a possible type for "${abstract.name}".`)
  }
  return type
}
