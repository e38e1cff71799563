import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import type { TestNode } from '../../harness/index.ts'
import { type ArticleWorld, asOf, createArticleWorld } from './article-world.ts'

/** Whoever writes sees the write: in the answer itself, and wherever they ask next. */
let world: ArticleWorld
let nodes: readonly [TestNode, TestNode]

beforeEach(async () => {
  world = await createArticleWorld()
  nodes = [await world.startNode(), await world.startNode()]
})

afterEach(() => world.end())

it('shows each mutation of one document its own write, whatever the document loaded before', async () => {
  const id = toGlobalId('Article', 1)
  const author = toGlobalId('User', 1)
  const data = await nodes[0].admin.get(
    `mutation ($id: ID!, $author: ID!) {
       a: updateArticle(input: { id: $id, title: "first" }) { article { title version author { displayName articles { nodes { title } } } } }
       b: updateArticle(input: { id: $id, title: "second" }) { article { title version } }
       c: updateUser(input: { id: $author, displayName: "Countess" }) { user { displayName } }
       d: updateArticle(input: { id: $id, title: "third" }) { article { title version author { displayName articles(orderBy: TITLE) { totalCount nodes { title } } } } }
       e: unpublishArticle(id: $id) { article { status version } }
       f: deleteArticle(id: $id) { deletedId }
       g: updateUser(input: { id: $author, bio: "Alone" }) { user { articles { totalCount nodes { title } } } }
     }`,
    { id, author },
  )
  expect(data).toEqual({
    a: {
      article: {
        title: 'first',
        version: 2,
        author: { displayName: 'Ada', articles: { nodes: [{ title: 'old' }, { title: 'first' }] } },
      },
    },
    b: { article: { title: 'second', version: 3 } },
    c: { user: { displayName: 'Countess' } },
    d: {
      article: {
        title: 'third',
        version: 4,
        author: {
          displayName: 'Countess',
          articles: { totalCount: 2, nodes: [{ title: 'old' }, { title: 'third' }] },
        },
      },
    },
    e: { article: { status: 'DRAFT', version: 5 } },
    f: { deletedId: id },
    g: { user: { articles: { totalCount: 1, nodes: [{ title: 'old' }] } } },
  })
})

it('finds on every node what was known not to exist, once it was created on one', async () => {
  const [writer, other] = nodes
  const lookUp = `{
    article(slug: "three") { title }
    user(username: "grace") { displayName }
    tag(slug: "novel") { name articles { totalCount } }
    articles(filter: { tag: "novel" }) { totalCount }
  }`
  const nothing = { article: null, user: null, tag: null, articles: { totalCount: 0 } }
  for (const node of nodes) expect(await node.visitor.get(lookUp)).toEqual(nothing)
  for (const node of nodes) expect(await node.visitor.get(lookUp)).toEqual(nothing)

  const { token, errors } = await writer.admin.send(
    `mutation ($author: ID!) {
       createUser(input: { username: "grace", displayName: "Grace", email: "grace@example.com" }) { user { id } }
       createTag(input: { slug: "novel", name: "Novel" }) { tag { id } }
       createArticle(input: { slug: "three", title: "Three", body: "", status: PUBLISHED, tags: ["novel"], authorId: $author }) { article { id } }
     }`,
    { author: toGlobalId('User', 1) },
  )
  expect(errors).toEqual([])
  const everything = {
    article: { title: 'Three' },
    user: { displayName: 'Grace' },
    tag: { name: 'Novel', articles: { totalCount: 1 } },
    articles: { totalCount: 1 },
  }
  expect(await other.visitor.get(lookUp, {}, asOf(token))).toEqual(everything)
  expect(await writer.visitor.get(lookUp)).toEqual(everything)
})

it('finds nothing on any node where something was, once it was deleted on one', async () => {
  const [writer, other] = nodes
  const lookUp = '{ article(slug: "one") { title } articles { totalCount nodes { slug } } }'
  for (const node of nodes) await node.visitor.get(lookUp)
  const { token } = await writer.admin.send('mutation ($id: ID!) { deleteArticle(id: $id) { deletedId } }', {
    id: toGlobalId('Article', 1),
  })
  const remaining = { article: null, articles: { totalCount: 1, nodes: [{ slug: 'two' }] } }
  expect(await other.visitor.get(lookUp, {}, asOf(token))).toEqual(remaining)
  expect(await writer.visitor.get(lookUp)).toEqual(remaining)
})
