import type { Dice } from '../../integration/oracle/dice.ts'
import type { Observation, RowKey, Viewer } from '../history/history.ts'
import { type Ask, ask } from './ask.ts'
import { articleId, type Content, tagId, userId } from './content.ts'

type MakeMutation = (content: Content, dice: Dice, viewer: Viewer) => Ask

/** A way to make each mutation. Where it can, it writes a mark, so that its write can be told from every other. */
export const mutations: { readonly [field: string]: MakeMutation } = {
  createArticle: (content, dice, viewer) => {
    if (content.articles.size >= MANY_ARTICLES) return deleteArticle(content, dice, viewer)
    const mark = content.nextMark()
    const input = {
      title: `${mark} ${dice.words(2)}`,
      body: dice.words(4),
      status: dice.pick(['DRAFT', 'PUBLISHED', 'PUBLISHED']),
      ...dice.maybe({
        slug: `${dice.pick(SYLLABLES)}-${dice.below(60)}`,
        summary: dice.words(3),
        tags: tags(content, dice),
      }),
      ...(viewer === 'admin' && { authorId: userId(1 + dice.below(AUTHORS)) }),
    }
    return ask(
      'createArticle',
      'mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { ...A } } }',
      { input },
      { write: { mark } },
    )
  },

  updateArticle: (content, dice, viewer) => {
    const mark = content.nextMark()
    const input = {
      id: articleId(pickArticle(content, dice, viewer)),
      title: `${mark} ${dice.words(2)}`,
      ...dice.maybe(
        { slug: `${dice.pick(SYLLABLES)}-${dice.below(60)}`, body: dice.words(5), tags: tags(content, dice) },
        25,
      ),
      ...(dice.chance(5) && { expectedVersion: 1 + dice.below(5) }),
    }
    return ask(
      'updateArticle',
      'mutation ($input: UpdateArticleInput!) { updateArticle(input: $input) { article { ...A } } }',
      { input },
      { write: { mark } },
    )
  },

  publishArticle: (content, dice, viewer) =>
    ask('publishArticle', 'mutation ($id: ID!) { publishArticle(id: $id) { article { ...A } } }', {
      id: articleId(pickArticle(content, dice, viewer)),
    }),

  unpublishArticle: (content, dice, viewer) =>
    ask('unpublishArticle', 'mutation ($id: ID!) { unpublishArticle(id: $id) { article { ...A } } }', {
      id: articleId(pickArticle(content, dice, viewer)),
    }),

  deleteArticle: (content, dice, viewer) =>
    content.articles.size > FEW_ARTICLES
      ? deleteArticle(content, dice, viewer)
      : (mutations.createArticle as MakeMutation)(content, dice, viewer),

  setArticleTags: (content, dice, viewer) =>
    ask(
      'setArticleTags',
      'mutation ($id: ID!, $tags: [String!]!) { setArticleTags(id: $id, tags: $tags) { article { ...A } } }',
      { id: articleId(pickArticle(content, dice, viewer)), tags: tags(content, dice) },
    ),

  recordView: (content, dice) => {
    const id = content.pick('articles', dice)
    return ask(
      'recordView',
      'mutation ($id: ID!) { recordView(articleId: $id) }',
      { id: articleId(id) },
      { write: { views: id } },
    )
  },

  createTag: (content, dice) => {
    if (content.tags.size >= MANY_TAGS) return deleteTag(content, dice)
    const mark = content.nextMark()
    const input = {
      name: dice.words(2),
      description: `${mark} ${dice.words(2)}`,
      slug: dice.chance(50) ? `tag-${mark}` : `tag-${dice.below(20)}`,
    }
    return ask(
      'createTag',
      'mutation ($input: CreateTagInput!) { createTag(input: $input) { tag { ...T } } }',
      { input },
      { write: { mark } },
    )
  },

  updateTag: (content, dice) => {
    const mark = content.nextMark()
    const input = {
      id: tagId(content.pick('tags', dice)),
      description: `${mark} ${dice.words(2)}`,
      ...dice.maybe({ name: dice.words(2), slug: `tag-${dice.below(20)}` }),
    }
    return ask(
      'updateTag',
      'mutation ($input: UpdateTagInput!) { updateTag(input: $input) { tag { ...T } } }',
      { input },
      { write: { mark } },
    )
  },

  deleteTag: (content, dice) =>
    content.tags.size > FEW_TAGS
      ? deleteTag(content, dice)
      : (mutations.createTag as MakeMutation)(content, dice, 'admin'),

  createUser: (content, dice) => {
    if (content.users.size >= MANY_USERS) return deleteUser(content, dice)
    const mark = content.nextMark()
    const input = {
      username: dice.chance(50) ? `user-${mark}` : `user-${dice.below(20)}`,
      displayName: `${mark} ${dice.words(1)}`,
      email: `${mark}@example.com`,
      ...dice.maybe({ bio: dice.words(3), role: dice.pick(['AUTHOR', 'ADMIN']) }),
    }
    return ask(
      'createUser',
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { ...U } } }',
      { input },
      { write: { mark } },
    )
  },

  updateUser: (content, dice, viewer) => {
    const mark = content.nextMark()
    const id = typeof viewer === 'number' ? viewer : content.pick('users', dice)
    const input = {
      id: userId(id),
      displayName: `${mark} ${dice.words(1)}`,
      ...dice.maybe(
        {
          bio: dice.words(3),
          username: `user-${dice.below(20)}`,
          avatarUrl: dice.pick([null, 'https://example.com/a.png']),
        },
        25,
      ),
    }
    return ask(
      'updateUser',
      'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { ...U } } }',
      { input },
      { write: { mark } },
    )
  },

  deleteUser: (content, dice) => deleteUser(content, dice),

  invalidateCache: (content, dice) =>
    ask(
      'invalidateCache',
      'mutation ($tags: [String!]!, $mode: InvalidationMode) { invalidateCache(tags: $tags, mode: $mode) { position tags } }',
      {
        tags: [
          dice.pick(['articles:*', 'articles:title', 'article_tags', 'users', 'tags:*']),
          `articles:${content.pick('articles', dice)}`,
        ],
        mode: dice.pick(['HARD', 'SOFT']),
      },
    ),
}

/** The first users write, and are never deleted. */
export const AUTHORS = 3

function deleteArticle(content: Content, dice: Dice, viewer: Viewer): Ask {
  const id = pickArticle(content, dice, viewer)
  return deletion('deleteArticle', articleId(id), `articles:${id}`)
}

function deleteTag(content: Content, dice: Dice): Ask {
  const id = content.pick('tags', dice)
  return deletion('deleteTag', tagId(id), `tags:${id}`)
}

function deleteUser(content: Content, dice: Dice): Ask {
  const id = Math.max(AUTHORS + 1, content.pick('users', dice))
  return deletion('deleteUser', userId(id), `users:${id}`)
}

function deletion(field: string, id: string, row: RowKey): Ask {
  const observed: Observation[] = [{ of: 'row', row, state: null }]
  return ask(
    field,
    `mutation ($id: ID!) { ${field}(id: $id) { deletedId } }`,
    { id },
    { write: { deletes: row }, says: () => observed },
  )
}

const pickArticle = (content: Content, dice: Dice, viewer: Viewer): number =>
  typeof viewer === 'number' ? content.pickOwn(viewer, dice) : content.pick('articles', dice)

const tags = (content: Content, dice: Dice): string[] =>
  dice.some(
    [...content.tags.values()].map(({ slug }) => slug),
    40,
  )

const SYLLABLES = ['ka', 'lo', 'mi', 'ru']
const FEW_ARTICLES = 12
const MANY_ARTICLES = 24
const FEW_TAGS = 4
const MANY_TAGS = 9
const MANY_USERS = 9
