import { expect, it } from '@jest/globals'
import {
  buildClientSchema,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  isObjectType,
} from 'graphql'
import { queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

/**
 * Relay's specifications, sentence by sentence: https://relay.dev/graphql/connections.htm and
 * https://relay.dev/graphql/objectidentification.htm. What walks do to lists is in pagination.test.ts, what ids are in lookups.test.ts.
 */

const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await queryOnce(
  database.url,
  `insert into tags (slug, name) select 'tag-' || n, 'Tag ' || n from generate_series(1, 4) n`,
)
const schema: GraphQLSchema = buildClientSchema(await node.visitor.get<IntrospectionQuery>(getIntrospectionQuery()))

const CONNECTIONS = ['ArticleConnection', 'UserConnection', 'TagConnection']
const NODES = ['Article', 'User', 'Tag']

/** A field's type, as it is written. */
const typeOf = (type: GraphQLNamedType | undefined, field: string): string | undefined =>
  isObjectType(type) ? String(type.getFields()[field]?.type) : undefined

const objects = (): GraphQLObjectType[] => Object.values(schema.getTypeMap()).filter(isObjectType)

it('knows as connections the types whose names end so, all of them objects (2.1)', () => {
  const named = Object.keys(schema.getTypeMap()).filter((name) => name.endsWith('Connection'))
  expect(named.sort()).toEqual([...CONNECTIONS].sort())
  for (const name of named) expect(isObjectType(schema.getType(name))).toBe(true)
})

it.each(CONNECTIONS)('gives a %s its edges, its page info and nothing null (2.1, 3.1)', (name) => {
  const itsEdge = name.replace('Connection', 'Edge')
  const itsNode = name.replace('Connection', '')
  const [connection, edge] = [schema.getType(name), schema.getType(itsEdge)]
  expect(typeOf(connection, 'edges')).toBe(`[${itsEdge}!]!`)
  expect(typeOf(connection, 'pageInfo')).toBe('PageInfo!')
  // Not a list itself, and a cursor that is written as a String.
  expect([isObjectType(edge), typeOf(edge, 'node'), typeOf(edge, 'cursor')]).toEqual([true, `${itsNode}!`, 'String!'])
})

it('says in PageInfo whether there is more, and where it begins and ends (5.1)', () => {
  const pageInfo = schema.getType('PageInfo')
  const fields = ['hasPreviousPage', 'hasNextPage', 'startCursor', 'endCursor']
  expect(fields.map((field) => typeOf(pageInfo, field))).toEqual(['Boolean!', 'Boolean!', 'String', 'String'])
})

it('takes both kinds of page arguments wherever there is a connection (4)', () => {
  const leading = objects().flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => /Connection!?$/.test(String(field.type)))
      .map((field) => ({ name: `${type.name}.${field.name}`, field })),
  )
  expect(leading.map(({ name }) => name).sort()).toEqual([
    'Query.articles',
    'Query.tags',
    'Query.users',
    'Tag.articles',
    'User.articles',
  ])
  for (const { name, field } of leading) {
    const types = Object.fromEntries(field.args.map((arg) => [arg.name, String(arg.type)]))
    expect([name, types]).toMatchObject([name, { first: 'Int', after: 'String', last: 'Int', before: 'String' }])
  }
})

interface Tags {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly slug: string } }[]
  readonly pageInfo: {
    readonly hasPreviousPage: boolean
    readonly hasNextPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

async function tags(args: string): Promise<Tags> {
  const { tags } = await node.visitor.get<{ tags: Tags }>(
    `{ tags(${args}) { edges { cursor node { slug } } pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } }`,
  )
  return tags
}

const ALL = ['cats', 'dogs', 'tag-1', 'tag-2', 'tag-3', 'tag-4']

it('gives the first after a cursor and the last before one, in one and the same order (4.3, 4.4)', async () => {
  const { edges } = await tags('first: 100')
  expect(edges.map(({ node }) => node.slug)).toEqual(ALL)
  const cursors = edges.map(({ cursor }) => cursor)
  // Every page there can be, as the specification's algorithm has it.
  for (let after = -1; after < ALL.length; after++) {
    for (let before = 0; before <= ALL.length; before++) {
      const allowed = edges.filter((_, index) => index > after && index < before)
      const bounds = `${after >= 0 ? `, after: "${cursors[after]}"` : ''}${before < ALL.length ? `, before: "${cursors[before]}"` : ''}`
      for (const size of [1, 2, 100]) {
        const forward = await tags(`first: ${size}${bounds}`)
        expect([size, bounds, forward.edges]).toEqual([size, bounds, allowed.slice(0, size)])
        const backward = await tags(`last: ${size}${bounds}`)
        expect([size, bounds, backward.edges]).toEqual([size, bounds, allowed.slice(-size)])
        for (const { edges, pageInfo } of [forward, backward]) {
          const ends = [edges.at(0)?.cursor ?? null, edges.at(-1)?.cursor ?? null]
          expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual(ends)
        }
        // 5.1: of the direction that is asked for it must be said whether there is more.
        expect([size, bounds, forward.pageInfo.hasNextPage]).toEqual([size, bounds, allowed.length > size])
        expect([size, bounds, backward.pageInfo.hasPreviousPage]).toEqual([size, bounds, allowed.length > size])
      }
    }
  }
}, 120_000)

it('names an edge by the same cursor, whatever page it is on (3.1.2)', async () => {
  const all = (await tags('first: 100')).edges
  for (const page of [
    'first: 3',
    'last: 6',
    `last: 2, before: "${all[4]?.cursor}"`,
    `first: 9, after: "${all[0]?.cursor}"`,
  ]) {
    for (const edge of (await tags(page)).edges) expect(all).toContainEqual(edge)
  }
})

it('has an interface Node of one field, an id that is never null (object identification, 2)', () => {
  const its = schema.getType('Node')
  if (!its || !('getFields' in its)) throw new Error('There is no Node.')
  expect(
    Object.values(its.getFields()).map((field) => [field.name, String(field.type), 'args' in field && field.args]),
  ).toEqual([['id', 'ID!', []]])
})

it('has root fields that give one Node, or many in the order of their ids (3, 5)', () => {
  const { node, nodes } = schema.getQueryType()?.getFields() ?? {}
  expect(node?.args.map((arg) => [arg.name, String(arg.type)])).toEqual([['id', 'ID!']])
  expect([String(node?.type), String(nodes?.type)]).toEqual(['Node', '[Node]!'])
  expect(nodes?.args.map((arg) => [arg.name, String(arg.type)])).toEqual([['ids', '[ID!]!']])
})

it('has every object with an id of its own be a Node (4)', () => {
  const identified = objects().filter((type) => typeOf(type, 'id') === 'ID!')
  expect(identified.map(({ name }) => name).sort()).toEqual([...NODES].sort())
  for (const type of identified) expect(type.getInterfaces().map(({ name }) => name)).toContain('Node')
})

it('gives by its id the very object that the id was read from, of the same type (3.1, 4.1)', async () => {
  const of = { Article: 'id slug title version', User: 'id username role', Tag: 'id slug name' }
  const fields = Object.entries(of).map(([type, its]) => `... on ${type} { ${its} }`)
  const read = await node.visitor.get<Record<string, Record<string, unknown>>>(
    `{ a: article(slug: "published") { __typename ${of.Article} } b: user(username: "ann") { __typename ${of.User} }
       c: tag(slug: "cats") { __typename ${of.Tag} } }`,
  )
  const all = Object.values(read)
  expect(all.map(({ __typename }) => __typename)).toEqual(NODES)
  for (const object of all) {
    const again = await node.visitor.get(`query ($id: ID!) { node(id: $id) { __typename ${fields} } }`, {
      id: object.id,
    })
    expect(again).toEqual({ node: object })
  }
  // Two objects never share an id, also of different types.
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  const { nodes } = await node.visitor.get(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ${fields} } }`, {
    ids: all.map(({ id }) => id).reverse(),
  })
  expect(nodes).toEqual(all.reverse())
})

it('has an id stay what it is while the object changes (2.1)', async () => {
  const before = await node.visitor.get('{ article(slug: "published") { id } }')
  await node.admin.get(
    `mutation { updateArticle(input: { id: "${ids.published}", slug: "renamed", title: "Renamed" }) { article { id } } }`,
  )
  expect(await node.visitor.get('{ article(slug: "renamed") { id } }')).toEqual(before)
})
