import {
  type ConstDirectiveNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  valueFromASTUntyped,
} from 'graphql'
import type { CacheHint } from '../resolving/index.ts'

/** The hint of a field: its own where it has one, otherwise its type's. With `inheritMaxAge` and no `maxAge`, the parent field's `maxAge` counts. */
export interface FieldHint extends CacheHint {
  readonly inheritMaxAge?: boolean | undefined
}

/**
 * Returns a function that finds a field's cache hint, and remembers it. The rules are Apollo's
 * (https://www.apollographql.com/docs/apollo-server/performance/caching): a field of Query, or one whose type is an
 * object, is not cached unless a hint gives a `maxAge`. A scalar field is cached like the object it belongs to.
 */
export function fieldHints(
  schema: GraphQLSchema,
): (parent: GraphQLNamedType, field: GraphQLField<unknown, unknown>) => FieldHint {
  const known = new WeakMap<GraphQLField<unknown, unknown>, FieldHint>()
  const read = (parent: GraphQLNamedType, field: GraphQLField<unknown, unknown>): FieldHint => {
    const type = getNamedType(field.type)
    if (type.name.startsWith('__') || field.name === '__typename') return { maxAge: INTROSPECTION_SECONDS }
    const own = hintOf(field.astNode?.directives)
    const ofType = isCompositeType(type) ? hintOf(type.astNode?.directives) : {}
    const maxAge = own.maxAge ?? ofType.maxAge
    const inherits = own.inheritMaxAge || ofType.inheritMaxAge
    const needsOne = parent === schema.getQueryType() || (isCompositeType(type) && !inherits)
    return { maxAge: maxAge ?? (needsOne ? 0 : undefined), scope: own.scope ?? ofType.scope }
  }
  return (parent, field) => {
    const hint = known.get(field) ?? read(parent, field)
    known.set(field, hint)
    return hint
  }
}

function hintOf(directives: readonly ConstDirectiveNode[] = []): FieldHint {
  const hint = directives.find(({ name }) => name.value === 'cacheControl')
  const { maxAge, ...rest }: FieldHint = Object.fromEntries(
    (hint?.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  )
  // `inheritMaxAge` overrules `maxAge`.
  return rest.inheritMaxAge ? rest : { maxAge, ...rest }
}

/** As for the type that lives longest. The schema changes only with the server, but caches in front don't hear of a new one. */
const INTROSPECTION_SECONDS = 600
