import type { Dice } from './dice.ts'
import type { KnownContent } from './known-content.ts'
import { type Ask, ask } from './queries.ts'

/** A way to make each mutation, with every input field: valid or not. */
export const mutations: { readonly [field: string]: (known: KnownContent, dice: Dice) => Ask } = {
  createArticle: (known, dice) =>
    ask('mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { ...A } } }', {
      input: {
        ...articleTexts(dice),
        ...dice.maybe({ slug: slug(dice), tags: tagSlugs(known, dice), status: dice.pick(['DRAFT', 'PUBLISHED']) }, 60),
        ...(dice.chance(60) && { authorId: known.freeUserId() }),
      },
    }),
  updateArticle: (known, dice) =>
    ask('mutation ($input: UpdateArticleInput!) { updateArticle(input: $input) { article { ...A } } }', {
      input: {
        id: known.freeArticleId(),
        ...dice.maybe({ ...articleTexts(dice), slug: slug(dice), tags: tagSlugs(known, dice) }),
        ...(dice.chance(10) && { expectedVersion: 1 + dice.below(5) }),
      },
    }),
  publishArticle: (known) =>
    ask('mutation ($id: ID!) { publishArticle(id: $id) { article { ...A } } }', { id: known.freeArticleId() }),
  unpublishArticle: (known) =>
    ask('mutation ($id: ID!) { unpublishArticle(id: $id) { article { ...A } } }', { id: known.freeArticleId() }),
  deleteArticle: (known) =>
    ask('mutation ($id: ID!) { deleteArticle(id: $id) { deletedId } }', { id: known.freeArticleId() }),
  setArticleTags: (known, dice) =>
    ask('mutation ($id: ID!, $tags: [String!]!) { setArticleTags(id: $id, tags: $tags) { article { ...A } } }', {
      id: known.freeArticleId(),
      tags: tagSlugs(known, dice),
    }),
  recordView: (known) => ask('mutation ($id: ID!) { recordView(articleId: $id) }', { id: known.freeArticleId() }),
  createTag: (_known, dice) =>
    ask('mutation ($input: CreateTagInput!) { createTag(input: $input) { tag { ...T } } }', {
      input: { name: name(dice), ...dice.maybe({ slug: slug(dice), description: dice.words(3) }) },
    }),
  updateTag: (known, dice) =>
    ask('mutation ($input: UpdateTagInput!) { updateTag(input: $input) { tag { ...T } } }', {
      input: {
        id: known.freeTagId(),
        ...dice.maybe({ name: name(dice), slug: slug(dice), description: dice.words(3) }),
      },
    }),
  deleteTag: (known) => ask('mutation ($id: ID!) { deleteTag(id: $id) { deletedId } }', { id: known.freeTagId() }),
  createUser: (_known, dice) =>
    ask('mutation ($input: CreateUserInput!) { createUser(input: $input) { user { ...U } } }', {
      input: { username: username(dice), displayName: name(dice), email: email(dice), ...dice.maybe(profile(dice)) },
    }),
  updateUser: (known, dice) =>
    ask('mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { ...U } } }', {
      input: {
        id: known.freeUserId(),
        ...dice.maybe({ username: username(dice), displayName: name(dice), email: email(dice), ...profile(dice) }, 25),
      },
    }),
  invalidateCache: (known, dice) =>
    ask(
      'mutation ($tags: [String!]!, $mode: InvalidationMode) { invalidateCache(tags: $tags, mode: $mode) { position tags } }',
      {
        tags: dice.chance(5) ? ['nowhere:1'] : cacheTags(known, dice),
        ...dice.maybe({ mode: dice.pick(['HARD', 'SOFT']) }, 70),
      },
    ),
  deleteUser: (known) => ask('mutation ($id: ID!) { deleteUser(id: $id) { deletedId } }', { id: known.freeUserId() }),
}

const articleTexts = (dice: Dice) => ({
  title: name(dice),
  body: `*${dice.words(2)}* ${dice.words(4)} <script>alert(1)</script>`,
  ...dice.maybe({ summary: dice.words(3) }),
})

const name = (dice: Dice): string => (dice.chance(4) ? dice.pick(['', 'x'.repeat(301)]) : dice.words(2))
const slug = (dice: Dice): string => (dice.chance(5) ? 'No Slug!' : `${dice.pick(SYLLABLES)}-${dice.below(40)}`)
const username = (dice: Dice): string => (dice.chance(5) ? 'No Name!' : `${dice.pick(SYLLABLES)}${dice.below(20)}`)
const email = (dice: Dice): string =>
  dice.chance(5) ? 'nowhere' : `${dice.pick(SYLLABLES)}${dice.below(40)}@example.com`
const profile = (dice: Dice) => ({
  bio: dice.words(4),
  avatarUrl: dice.pick([null, 'https://example.com/a.png', 'ftp://example.com']),
  role: dice.pick(['AUTHOR', 'ADMIN']),
})
const tagSlugs = (known: KnownContent, dice: Dice): string[] =>
  dice.chance(5) ? ['no-such-tag'] : known.freeTagSlugs()

const cacheTags = (known: KnownContent, dice: Dice): string[] => [
  dice.pick(['articles:*', 'articles:title', 'articles:status=PUBLISHED', 'article_tags', 'users', 'tags:*']),
  ...dice.some(
    [...known.articles.map(({ id }) => `articles:${id}`), ...known.users.map(({ id }) => `users:${id}`)],
    10,
  ),
]

const SYLLABLES = ['ka', 'lo', 'mi', 'ru']
