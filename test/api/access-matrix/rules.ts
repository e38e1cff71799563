import { ids } from '../add-content.ts'
import { isAdmin, isUser, ROLES, type Role, USERS } from './roles.ts'

/** A rule for each type with an id: who sees an object of it. */
export const SEES: Readonly<Record<string, (role: Role, id: string) => boolean>> = {
  Article: (role, id) => {
    const author = DRAFTS[id]
    return author === undefined || isAdmin(role) || isUser(role, author)
  },
  User: () => true,
  Tag: () => true,
}

/** The author of each draft. */
const DRAFTS: Readonly<Record<string, string>> = { [ids.annsDraft]: ids.ann, [ids.bobsDraft]: ids.bob }

type FieldRule = 'open' | ((role: Role, id: string) => boolean)

/** A rule for each field of these types. Open: whoever sees the object sees the field. Otherwise it is null for the others. */
export const FIELD_RULES: Readonly<Record<string, Readonly<Record<string, FieldRule>>>> = {
  Article: {
    id: 'open',
    slug: 'open',
    title: 'open',
    summary: 'open',
    body: 'open',
    bodyHtml: 'open',
    status: 'open',
    author: 'open',
    tags: 'open',
    viewCount: 'open',
    publishedAt: 'open',
    createdAt: 'open',
    updatedAt: 'open',
    version: 'open',
  },
  User: {
    id: 'open',
    username: 'open',
    displayName: 'open',
    bio: 'open',
    avatarUrl: 'open',
    role: 'open',
    createdAt: 'open',
    email: (role, id) => isAdmin(role) || isUser(role, id),
    articles: 'open',
  },
  Tag: { id: 'open', slug: 'open', name: 'open', description: 'open', articles: 'open', articleCount: 'open' },
}

/** A way to ask for objects. */
export interface Door {
  readonly call: string
  /** An object or null, a list of them, or a connection, which leaves out what the viewer doesn't see. */
  readonly shape: 'one' | 'list' | 'connection'
  readonly type: string
  /** What there is to be found. */
  readonly ids: (role: Role) => readonly string[]
}

const one = (call: string, type: string, id: string): Door => ({ call, shape: 'one', type, ids: () => [id] })
const list = (call: string, type: string, all: readonly string[]): Door => ({
  call,
  shape: 'connection',
  type,
  ids: () => all,
})

const ARTICLES = [ids.published, ids.annsDraft, ids.bobsDraft, ids.bobsPublished]
const ALL_DRAFTS = [ids.annsDraft, ids.bobsDraft]

/** What each field of `Query` gives. */
export const QUERY_RULES: Readonly<Record<string, readonly Door[]>> = {
  article: [
    one(`article(id: "${ids.published}")`, 'Article', ids.published),
    one(`article(id: "${ids.annsDraft}")`, 'Article', ids.annsDraft),
    one(`article(id: "${ids.bobsDraft}")`, 'Article', ids.bobsDraft),
    one('article(slug: "published")', 'Article', ids.published),
    one('article(slug: "anns-draft")', 'Article', ids.annsDraft),
  ],
  articles: [
    list('articles(first: 10)', 'Article', ARTICLES),
    list('articles(last: 10, orderBy: OLDEST)', 'Article', ARTICLES),
    list('articles(orderBy: TITLE)', 'Article', ARTICLES),
    list('articles(orderBy: MOST_VIEWED)', 'Article', ARTICLES),
    list('articles(filter: { status: DRAFT })', 'Article', ALL_DRAFTS),
    list('articles(filter: { status: PUBLISHED })', 'Article', [ids.published, ids.bobsPublished]),
    list('articles(filter: { author: "ann" })', 'Article', [ids.published, ids.annsDraft]),
    list('articles(filter: { author: "bob" })', 'Article', [ids.bobsPublished, ids.bobsDraft]),
    list('articles(filter: { status: DRAFT, author: "ann" })', 'Article', [ids.annsDraft]),
    list('articles(filter: { tag: "cats" })', 'Article', ARTICLES),
    list('articles(filter: { search: "secretive" })', 'Article', ARTICLES),
    list('articles(filter: { search: "secretive", status: DRAFT })', 'Article', ALL_DRAFTS),
    list('articles(filter: { publishedBefore: "2030-01-01T00:00:00Z" })', 'Article', [
      ids.published,
      ids.bobsPublished,
    ]),
  ],
  node: [
    one(`node(id: "${ids.published}")`, 'Article', ids.published),
    one(`node(id: "${ids.annsDraft}")`, 'Article', ids.annsDraft),
    one(`node(id: "${ids.ann}")`, 'User', ids.ann),
    one(`node(id: "${ids.cats}")`, 'Tag', ids.cats),
  ],
  nodes: [
    { call: `nodes(ids: ${JSON.stringify(ARTICLES)})`, shape: 'list', type: 'Article', ids: () => ARTICLES },
    {
      call: `nodes(ids: ${JSON.stringify([ids.bob, ids.ann])})`,
      shape: 'list',
      type: 'User',
      ids: () => [ids.bob, ids.ann],
    },
  ],
  user: [one(`user(id: "${ids.ann}")`, 'User', ids.ann), one('user(username: "bob")', 'User', ids.bob)],
  users: [list('users(first: 10)', 'User', [ids.ann, ids.bob, USERS.carol, USERS.dave])],
  viewer: [{ call: 'viewer', shape: 'one', type: 'User', ids: (role) => [ROLES[role].userId ?? []].flat() }],
  tag: [one(`tag(id: "${ids.cats}")`, 'Tag', ids.cats), one('tag(slug: "cats")', 'Tag', ids.cats)],
  tags: [list('tags', 'Tag', [ids.cats, ids.dogs])],
}
