import {
  type Connection,
  type Context,
  makeConnection,
  type PageArguments,
  parsePage,
  type RateLimit,
} from '../../graphql/resolving/index.ts'
import type { Article, ArticleFilter, ArticleOrder, Resolvers, Tag } from '../../graphql/schema/index.ts'
import { fromGlobalId, toGlobalId, type Viewer } from '../../identity/index.ts'
import { AskerError } from '../../kernel/errors.ts'
import { checkLength, checkName, exactlyOne } from '../../kernel/input.ts'
import { allHere, type PromiseOrValue, whenHere } from '../../kernel/promise-or-value.ts'
import type { Queue } from '../../worker/index.ts'
import type { TagEntries } from '../tags/index.ts'
import type { UserEntries } from '../users/index.ts'
import { canSee, noSuchArticle } from './article-access.ts'
import type { ArticleEntries } from './article-entries.ts'
import { type ArticleSelection, articleListOrder, scopeFor } from './article-list.ts'
import { articleMutations } from './article-mutations.ts'

export interface ArticleResolverParts {
  readonly articles: ArticleEntries
  readonly users: UserEntries
  readonly tags: TagEntries
  readonly views: Queue<number>
  readonly limitViews: RateLimit
}

export function articleResolvers({ articles, users, tags, views, limitViews }: ArticleResolverParts): Resolvers {
  return {
    Query: {
      article: (_parent, { id, slug }, context) => {
        const [by, value] = exactlyOne({ id, slug })
        const articleId = by === 'id' ? fromGlobalId('Article', value) : articles(context).idBySlug.load(value)
        return whenHere(articleId, (id) => (id === undefined ? null : visibleArticle(articles, id, context)))
      },
      articles: (_parent, args, context) => {
        const { tag, author, ...filter } = args.filter ?? {}
        if (filter.search != null) checkLength('filter.search', filter.search, { max: 500 })
        const ids = allHere([
          tag == null ? undefined : whenHere(tags(context).idBySlug.load(checkName('filter.tag', tag)), orNone),
          author == null
            ? undefined
            : whenHere(users(context).idByUsername.load(checkName('filter.author', author)), orNone),
        ])
        return whenHere(ids, ([tagId, authorId]) =>
          articleConnection(articles, args, { ...filter, tagId, authorId }, context),
        )
      },
    },
    Mutation: {
      ...articleMutations(articles),
      recordView: async (_parent, { articleId }, context) => {
        const id = fromGlobalId('Article', articleId, 'articleId')
        // First: what somebody makes up has to be looked for too.
        await limitViews(context)
        if (!(await visibleArticle(articles, id, context))) throw noSuchArticle('articleId')
        await views.add(id)
        return true
      },
    },
    Article: {
      id: ({ id }) => toGlobalId('Article', id),
      author: ({ author_id }, _args, context) =>
        whenHere(users(context).byId.load(author_id), (author) => {
          if (!author) throw new AskerError('NOT_FOUND', 'The author was deleted meanwhile.')
          return author
        }),
      tags: ({ tag_ids }, _args, context) => {
        const { byId } = tags(context)
        return whenHere(allHere(tag_ids.map((id) => byId.load(id))), inOrder)
      },
      bodyHtml: ({ body }, _args, context) => whenHere(articles(context).html.load(body), (html) => html ?? ''),
      viewCount: ({ id }, _args, context) => whenHere(articles(context).views.load(id), (views) => views ?? 0),
      publishedAt: ({ published_at }) => published_at,
      createdAt: ({ created_at }) => created_at,
      updatedAt: ({ updated_at }) => updated_at,
    },
    User: {
      articles: ({ id }, args, context) => articleConnection(articles, args, { authorId: id }, context),
    },
    Tag: {
      articles: ({ id }, args, context) => articleConnection(articles, args, { tagId: id }, context),
      articleCount: ({ id }, _args, context) =>
        whenHere(articles(context).counts.load(makeSelection('published', { tagId: id })), (count) => count ?? 0),
    },
  }
}

/** The article, undefined where there is none that the viewer may see. */
export const visibleArticle = (
  articles: ArticleEntries,
  id: number,
  context: Context,
): PromiseOrValue<Article | undefined> => whenHere(articles(context).byId.load(id), visibleTo(context.viewer))

const visibleTo = (viewer: Viewer) => (article: Article | undefined) =>
  article && canSee(viewer, article) ? article : undefined

interface Wanted extends Omit<ArticleFilter, 'tag' | 'author'> {
  readonly tagId?: number | undefined
  readonly authorId?: number | undefined
}

function articleConnection(
  articles: ArticleEntries,
  args: PageArguments & { readonly orderBy?: ArticleOrder | null | undefined },
  wanted: Wanted,
  context: Context,
): Connection<Article> {
  const orderBy = args.orderBy ?? 'NEWEST'
  const order = articleListOrder(orderBy)
  const page = parsePage(args, order)
  const scope = scopeFor(context.viewer, wanted.status ?? undefined, wanted.authorId)
  const empty = scope === undefined || wanted.tagId === NONE || wanted.authorId === NONE
  const selection = makeSelection(scope ?? 'published', wanted)
  const see = visibleTo(context.viewer)
  return makeConnection({
    page,
    order,
    places: () => (empty ? undefined : articles(context).pages.load({ selection, orderBy, page })),
    node: (id) => whenHere(articles(context).byId.load(id), see),
    totalCount: () => (empty ? 0 : articles(context).counts.load(selection)),
  })
}

function makeSelection(scope: ArticleSelection['scope'], wanted: Wanted): ArticleSelection {
  return {
    scope,
    status: wanted.status ?? undefined,
    tagId: wanted.tagId,
    authorId: wanted.authorId,
    search: wanted.search?.trim() || undefined,
    publishedAfter: wanted.publishedAfter?.toISOString(),
    publishedBefore: wanted.publishedBefore?.toISOString(),
  }
}

/** The id of what doesn't exist: the filter asks for it, and nothing can match. */
const NONE = 0
const orNone = (id: number | undefined): number => id ?? NONE

/** By name. They are few: put in their places one by one they take half as long as `sort` does. */
function inOrder(found: readonly (Tag | undefined)[]): Tag[] {
  const tags: Tag[] = []
  for (const tag of found) {
    if (!tag) continue
    let place = tags.length
    for (let before = tags[place - 1]; before && comesAfter(before, tag); before = tags[place - 1]) {
      tags[place--] = before
    }
    tags[place] = tag
  }
  return tags
}

const comesAfter = (a: Tag, b: Tag): boolean => (a.name.localeCompare(b.name, 'en') || a.id - b.id) > 0
