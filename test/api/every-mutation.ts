import { buildASTSchema, parse } from 'graphql'
import { readSchema } from '../../src/graphql/schema/index.ts'
import { toGlobalId } from '../../src/identity/global-id.ts'
import type { GraphQLClient } from '../harness/index.ts'
import { ids } from './add-content.ts'

/** The mutations of the schema. */
export const MUTATIONS: readonly string[] = Object.keys(
  buildASTSchema(parse(readSchema())).getMutationType()?.getFields() ?? {},
)

/**
 * How each is sent to what `addContent` and `ADD_LONELY` add, and the rows that its audit record must name: none if it leaves no record.
 * A mutation that the schema adds must be added here.
 */
export const CALLS: Readonly<Record<string, readonly [rest: string, targets: readonly string[]]>> = {
  createArticle: [
    '(input: { title: "T", body: "B", tags: ["dogs"], authorId: $ann }) { article { id } }',
    ['articles:5'],
  ],
  updateArticle: ['(input: { id: $draft, title: "T", body: "B", tags: ["dogs"] }) { article { id } }', ['articles:2']],
  publishArticle: ['(id: $draft) { article { id } }', ['articles:2']],
  unpublishArticle: ['(id: $published) { article { id } }', ['articles:1']],
  deleteArticle: ['(id: $draft) { deletedId }', ['articles:2']],
  setArticleTags: ['(id: $draft, tags: ["dogs"]) { article { id } }', ['articles:2']],
  createTag: ['(input: { name: "New" }) { tag { id } }', ['tags:3']],
  updateTag: ['(input: { id: $tag, name: "New" }) { tag { id } }', ['tags:1']],
  deleteTag: ['(id: $tag) { deletedId }', ['tags:1']],
  createUser: ['(input: { username: "new", displayName: "N", email: "n@example.com" }) { user { id } }', ['users:3']],
  updateUser: ['(input: { id: $ann, email: "other@example.com" }) { user { id } }', ['users:1']],
  deleteUser: ['(id: $lonely) { deletedId }', ['users:9']],
  invalidateCache: ['(tags: ["articles:7", "articles:any"]) { tags }', ['articles:7', 'articles:any']],
  // A view is counted later, with others, and is nobody's act.
  recordView: ['(articleId: $published)', []],
}

/** A user without articles, who can be deleted. */
export const ADD_LONELY = `insert into users (id, username, display_name, email) values (9, 'lonely', 'Lonely', 'lonely@example.com')`

const variables: Readonly<Record<string, string>> = {
  ann: ids.ann,
  lonely: toGlobalId('User', 9),
  draft: ids.annsDraft,
  published: ids.published,
  tag: ids.cats,
}

/** Sends fields of a mutation, with the variables that they use. */
export function sendMutation(client: GraphQLClient, fields: string, headers = {}) {
  const used = Object.keys(variables).filter((name) => fields.includes(`$${name}`))
  const declared = used.length === 0 ? '' : `(${used.map((name) => `$${name}: ID!`).join(', ')})`
  const values = Object.fromEntries(used.map((name) => [name, variables[name]]))
  return client.send(`mutation ${declared} { ${fields} }`, values, headers)
}
