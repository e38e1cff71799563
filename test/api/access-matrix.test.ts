import { afterAll, beforeEach, expect, it } from '@jest/globals'
import { buildSchema, type GraphQLField, isObjectType } from 'graphql'
import { readSchema } from '../../src/graphql/schema/read-schema.ts'
import { emptyContent, queryOnce } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'
import { MUTATION_RULES, type MutationRule } from './access-matrix/mutation-rules.ts'
import { ADD_USERS, ALL_ROLES, ROLES, type Role } from './access-matrix/roles.ts'
import { type Door, FIELD_RULES, QUERY_RULES, SEES } from './access-matrix/rules.ts'
import { comparable, countFields, selectionOf, selectionOfDoor, shownAt, type Whole } from './access-matrix/shown.ts'
import { FORMS, postByHash, type Told, TRANSPORTS } from './access-matrix/transports.ts'
import { addContent, ids } from './add-content.ts'

/**
 * Who may see and do what: every field of `Query`, of the types with an id and of `Mutation`, for every role, over every
 * transport, on two nodes that share Redis, from caches that are cold, warm, and warmed by those with more rights.
 */
const schema = buildSchema(readSchema())
const database = await useDatabase()
const shared = {
  database,
  redis: useRedis(),
  environment: { WORKER: 'off', AUTH_MAX_FAILURES: '1000000', QUERY_MAX_COMPLEXITY: '1000000' },
}
const nodes = [await useNode(shared), await useNode(shared)] as const
const [one, two] = nodes
const tokens = Object.fromEntries(
  await Promise.all(ALL_ROLES.map(async (role) => [role, await ROLES[role].token()] as const)),
) as Readonly<Record<Role, string | undefined>>
let cells = 0

beforeEach(reset)
afterAll(() => console.log(`access matrix: ${cells} cells`))

async function reset(): Promise<void> {
  await emptyContent(database.url)
  await addContent(database.url)
  await queryOnce(database.url, ADD_USERS)
  for (const node of nodes) await node.catchUp()
}

it('has a rule for every field of queries, mutations and objects', () => {
  const fieldsOf = (type: string) => {
    const found = schema.getType(type)
    return isObjectType(found) ? Object.values(found.getFields()) : []
  }
  const names = (type: string) =>
    fieldsOf(type)
      .map(({ name }) => name)
      .sort()
  const objects = schema.getPossibleTypes(schema.getType('Node') as never).map(({ name }) => name)
  expect(Object.keys(QUERY_RULES).sort()).toEqual(names('Query'))
  expect(Object.keys(MUTATION_RULES).sort()).toEqual(names('Mutation'))
  expect(Object.keys(SEES).sort()).toEqual([...objects].sort())
  expect(Object.keys(FIELD_RULES).sort()).toEqual([...objects].sort())
  for (const [type, rules] of Object.entries(FIELD_RULES)) {
    expect([type, Object.keys(rules).sort()]).toEqual([type, names(type)])
    const open = fieldsOf(type).filter((field) => isPrivate(field) && rules[field.name] === 'open')
    expect(open.map(({ name }) => `${type}.${name}`)).toEqual([])
  }
})

/** The schema says that it is for one viewer only, or for some. */
const isPrivate = ({ astNode, description }: GraphQLField<unknown, unknown>): boolean =>
  /^For (the|its|admins)\b/.test(description ?? '') ||
  (astNode?.directives ?? []).some(({ arguments: given = [] }) =>
    given.some(({ value }) => value.kind === 'EnumValue' && value.value === 'PRIVATE'),
  )

/** Each round on another node and over another transport. What the first keeps, the second has from Redis, and the third from either. */
const ROUNDS = [
  { order: [...ALL_ROLES].reverse(), transports: ['POST', 'GET', 'hash'] },
  { order: ALL_ROLES, transports: ['hash', 'POST', 'GET'] },
] as const

it.each(Object.entries(QUERY_RULES))('shows to each role what it may see: Query.%s', async (_field, doors) => {
  const wholes = await readWholes()
  for (const [index, door] of doors.entries()) {
    const forms = Object.entries(FORMS)
    // The first door in every form, the others in one each.
    for (const [form, write] of index === 0 ? forms : forms.slice(index % forms.length).slice(0, 1)) {
      const query = write('query', door.call, selectionOfDoor(schema, door))
      // The first door in both rounds, the others in turns.
      for (const { order, transports } of index === 0 ? ROUNDS : ROUNDS.slice(index % 2).slice(0, 1)) {
        await chill()
        for (const [round, transport] of transports.entries()) {
          const node = round === 1 ? two : one
          for (const role of order) {
            const told = await TRANSPORTS[transport](node.url, query, tokens[role])
            expectShown({ door, role, told, wholes, where: `${form}, ${transport}, round ${round}` })
          }
          await one.flush()
          if (round === 1) one.cache.clearMemory()
        }
      }
    }
  }
})

interface Shown {
  readonly door: Door
  readonly role: Role
  readonly told: Told
  readonly wholes: ReadonlyMap<string, Whole>
  readonly where: string
}

function expectShown({ door, role, told, wholes, where }: Shown): void {
  const about = [door.call, role, where]
  if (role === 'deleted') {
    cells++
    expect([about, told]).toEqual([about, { status: 401, data: undefined, codes: ['UNAUTHENTICATED'] }])
    return
  }
  const expected = comparable(shownAt(door, role, wholes))
  const { status, codes, data } = told
  expect([about, status, codes]).toEqual([about, 200, []])
  for (const value of Object.values(data ?? {})) {
    cells += countFields(expected)
    expect([about, comparable(value)]).toEqual([about, expected])
  }
}

/** Everything that there is, read past the caches. */
async function readWholes(): Promise<ReadonlyMap<string, Whole>> {
  const { articles, users, tags } = await one.admin.get<Record<string, { readonly nodes: readonly Whole[] }>>(
    `{ articles(first: 10) { nodes ${selectionOf(schema, 'Article')} } users(first: 10) { nodes ${selectionOf(schema, 'User')} }
       tags(first: 10) { nodes ${selectionOf(schema, 'Tag')} } }`,
    {},
    { 'cache-control': 'no-cache' },
  )
  const all = [articles, users, tags].flatMap((list) => list?.nodes ?? [])
  expect(all.map(({ __typename }) => __typename)).toHaveLength(4 + 4 + 2)
  expect(all.filter(({ email }) => typeof email === 'string')).toHaveLength(4)
  expect(all.filter(({ status }) => status === 'DRAFT')).toHaveLength(2)
  expect(all.filter(({ articleCount }) => articleCount === 2)).toHaveLength(1)
  return new Map(all.map((whole) => [whole.id, whole]))
}

/** Nothing that is cached stands any more, on either node. */
async function chill(): Promise<void> {
  await one.admin.get('mutation { invalidateCache(tags: ["articles", "users", "tags"]) { position } }')
  await two.catchUp()
}

it('hides an article the moment it is a draft again', async () => {
  const read = async () => (await one.visitor.get('{ article(slug: "published") { slug } }')).article
  expect(await read()).toEqual({ slug: 'published' })
  await TRANSPORTS.POST(
    one.url,
    `mutation { unpublishArticle(id: "${ids.published}") { article { status } } }`,
    tokens.owner,
  )
  expect(await read()).toBeNull()
})

const MUTATIONS = Object.values(MUTATION_RULES).flatMap((rules) => rules.map((rule) => [rule.call, rule] as const))

it.each(MUTATIONS)('lets only those who may: %s', async (call, rule) => {
  const before = await content()
  for (const [role, code] of Object.entries(rule.refuses) as [Role, string][]) {
    for (const send of [TRANSPORTS.POST, postByHash]) {
      for (const write of Object.values(FORMS)) {
        const told = await send(one.url, write('mutation', call, selectionFor(call)), tokens[role])
        cells++
        const refused = role === 'deleted' ? { status: 401, data: undefined } : { data: { x: null } }
        expect([role, told]).toEqual([role, { status: 200, ...refused, codes: [code] }])
      }
    }
  }
  for (const role of ALL_ROLES) {
    const told = await TRANSPORTS.GET(one.url, `mutation { x: ${call} ${selectionFor(call)} }`, tokens[role])
    cells++
    expect([role, told.data, told.status]).toEqual([role, undefined, role === 'deleted' ? 401 : 405])
  }
  expect(await content()).toEqual(before)
  await expectDone(rule, before)
})

async function expectDone({ call, refuses, changesContent = true }: MutationRule, before: unknown): Promise<void> {
  const allowed = ALL_ROLES.filter((role) => refuses[role] === undefined)
  for (const [index, role] of allowed.entries()) {
    if (index > 0 && changesContent) await reset()
    const told = await TRANSPORTS.POST(one.url, `mutation { x: ${call} ${selectionFor(call)} }`, tokens[role])
    cells++
    expect([role, told]).toEqual([role, { status: 200, data: { x: expect.anything() }, codes: [] }])
    if (changesContent) expect(await content()).not.toEqual(before)
    else expect(await content()).toEqual(before)
  }
}

/** Of what a mutation returns: nothing in particular. */
const selectionFor = (call: string): string => (call.startsWith('recordView') ? '' : '{ __typename }')

it('runs those of several mutations that the viewer may do, and refuses the others', async () => {
  const calls = [
    `a: updateArticle(input: { id: "${ids.published}", title: "A" }) { article { title } }`,
    `b: updateArticle(input: { id: "${ids.bobsPublished}", title: "B" }) { article { title } }`,
    `c: updateArticle(input: { id: "${ids.bobsDraft}", title: "C" }) { article { title } }`,
  ]
  const told = await TRANSPORTS.POST(one.url, `mutation { ${calls.join(' ')} }`, tokens.owner)
  expect(told).toEqual({
    status: 200,
    data: { a: { article: { title: 'A' } }, b: null, c: null },
    codes: ['FORBIDDEN', 'NOT_FOUND'],
  })
})

async function content(): Promise<unknown> {
  const [row] = await queryOnce(
    database.url,
    `select jsonb_build_array(
      (select jsonb_agg(to_jsonb(users) order by id) from users), (select jsonb_agg(to_jsonb(tags) order by id) from tags),
      (select jsonb_agg(to_jsonb(articles) order by id) from articles),
      (select jsonb_agg(to_jsonb(article_tags) order by article_id, tag_id) from article_tags)) as content`,
  )
  return row?.content
}
