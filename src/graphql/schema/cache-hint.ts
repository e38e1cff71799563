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

/** A field's hint, in the light of its type's: what it says itself counts. `inheritMaxAge`, where neither says for how long: as long as the field it is in. */
export interface FieldHint extends CacheHint {
  readonly inheritMaxAge?: boolean | undefined
}

/**
 * The hint of every field of a schema. The rules are Apollo's (https://www.apollographql.com/docs/apollo-server/performance/caching):
 * a field of Query, and one that leads to an object, is not kept unless something says for how long; a scalar field is kept
 * like the object it belongs to.
 */
export function fieldHints(
  schema: GraphQLSchema,
): (parent: GraphQLNamedType, field: GraphQLField<unknown, unknown>) => FieldHint {
  const known = new WeakMap<GraphQLField<unknown, unknown>, FieldHint>()
  const read = (parent: GraphQLNamedType, field: GraphQLField<unknown, unknown>): FieldHint => {
    const type = getNamedType(field.type)
    // What the schema says of itself never changes while it is served.
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
  // One or the other.
  return rest.inheritMaxAge ? rest : { maxAge, ...rest }
}

const INTROSPECTION_SECONDS = 24 * 60 * 60
