import { type GraphQLObjectType, type GraphQLSchema, getNamedType, isLeafType, isObjectType } from 'graphql'
import type { Role } from './roles.ts'
import { type Door, FIELD_RULES, SEES } from './rules.ts'

/** An object of the API with all its fields, as its owner and admins see it. */
export type Whole = Readonly<Record<string, unknown>> & { readonly __typename: string; readonly id: string }

/** Selects every field of a type with a rule, and of what it leads to every field that is a value. */
export function selectionOf(schema: GraphQLSchema, typeName: string): string {
  const fields = Object.values(objectType(schema, typeName).getFields())
  const parts = fields.map(({ name, type }) => {
    const named = getNamedType(type)
    if (isLeafType(named)) return name
    if (named.name in FIELD_RULES) return `${name} ${leavesOf(schema, named.name)}`
    const items = named.name.replace('Connection', '')
    return `${name}(first: 10) { __typename totalCount nodes ${leavesOf(schema, items)} }`
  })
  return `{ __typename ${parts.join(' ')} }`
}

/** As a door to objects of a type selects it. */
export function selectionOfDoor(schema: GraphQLSchema, { call, shape, type }: Door): string {
  const selection = selectionOf(schema, type)
  if (shape === 'connection') return `{ __typename totalCount nodes ${selection} }`
  return /^nodes?\(/.test(call) ? `{ ... on ${type} ${selection} }` : selection
}

function leavesOf(schema: GraphQLSchema, typeName: string): string {
  const fields = Object.values(objectType(schema, typeName).getFields())
  const leaves = fields.filter(({ type }) => isLeafType(getNamedType(type))).map(({ name }) => name)
  return `{ __typename ${leaves.join(' ')} }`
}

function objectType(schema: GraphQLSchema, name: string): GraphQLObjectType {
  const type = schema.getType(name)
  if (!isObjectType(type)) throw new TypeError(`${name} is no object type.`)
  return type
}

/** What a door must show to a role, by the rules. */
export function shownAt({ shape, ids }: Door, role: Role, wholes: ReadonlyMap<string, Whole>): unknown {
  const all = ids(role).map((id) => wholes.get(id))
  const shown = all.map((whole) => shownTo(role, whole ?? null))
  if (shape === 'one') return shown[0] ?? null
  if (shape === 'list') return shown
  const nodes = shown.filter((it) => it !== null)
  return { totalCount: nodes.length, nodes }
}

/** A value as a role sees it, by the rules. */
function shownTo(role: Role, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => shownTo(role, item))
  if (typeof value !== 'object' || value === null) return value
  if ('nodes' in value && Array.isArray(value.nodes)) {
    const nodes = value.nodes.map((node) => shownTo(role, node)).filter((node) => node !== null)
    return { ...value, totalCount: nodes.length, nodes }
  }
  const whole = value as Whole
  if (!SEES[whole.__typename]?.(role, whole.id)) return null
  return Object.fromEntries(
    Object.entries(whole).map(([name, field]) => {
      const rule = FIELD_RULES[whole.__typename]?.[name] ?? 'open'
      return [name, rule === 'open' || rule(role, whole.id) ? shownTo(role, field) : null]
    }),
  )
}

/** Lists in the order of ids: which order they come in is no matter of access. Types of connections are left out. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(comparable)
    const idOf = (item: unknown) => String((item as Whole | null)?.id ?? '')
    return items.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  const { __typename, ...fields } = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    [...Object.entries(fields), ['__typename', String(__typename ?? '').replace(/.*Connection$/, '')]].map(
      ([name, field]) => [name, comparable(field)],
    ),
  )
}

/** How many fields a value holds. */
export function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, field) => sum + countFields(field), 0)
}
