import {
  type Connection,
  type Context,
  makeConnection,
  type PageArguments,
  type RateLimit,
  readWritten,
} from '../../graphql/resolving/index.ts'
import type { Article, ArticleFilter, ArticleOrder, Resolvers, Tag } from '../../graphql/schema/index.ts'
import { fromGlobalId, toGlobalId, type Viewer } from '../../identity/index.ts'
import { badInput, checkLength, checkName, exactlyOne, quote } from '../../kernel/input.ts'
import { allNowOrLater, nowOrLater, type PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Queue } from '../../worker/index.ts'
import type { TagEntries } from '../tags/index.ts'
import type { UserEntries } from '../users/index.ts'
import { type ArticleEntries, canSee } from './article-entries.ts'
import { type ArticleSelection, articleListOrder, scopeFor } from './article-list.ts'
import { articleMutations, noSuchArticle } from './article-mutations.ts'

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
        const articleId =
          by === 'id'
            ? fromGlobalId('Article', value)
            : nowOrLater(articles(context).bySlug.load(value), (found) =>
                // Not even its row is read: the answer's cache tags would tell a visitor that there is one.
                found?.isDraft && context.viewer.kind === 'visitor' ? undefined : found?.id,
              )
        return nowOrLater(articleId, (id) => (id === undefined ? null : visibleArticle(articles, id, context)))
      },
      articles: (_parent, args, context) => {
        const { tag, author, search: words, ...filter } = args.filter ?? {}
        const search = words == null ? undefined : searchedForm(words)
        const ids = allNowOrLater([
          tag == null ? undefined : nowOrLater(tags(context).idBySlug.load(checkName('filter.tag', tag)), orNone),
          author == null
            ? undefined
            : nowOrLater(users(context).idByUsername.load(checkName('filter.author', author)), orNone),
        ])
        return nowOrLater(ids, ([tagId, authorId]) =>
          articleConnection(articles, args, { search, tagId, authorId, ...filter }, context),
        )
      },
    },
    Mutation: {
      ...articleMutations(articles),
      recordView: async (_parent, { articleId }, context) => {
        const id = fromGlobalId('Article', articleId, 'articleId')
        // First, because a made-up id costs a look-up too.
        await limitViews(context)
        if (!(await visibleArticle(articles, id, context))) throw noSuchArticle('articleId')
        await views.add(id)
        return true
      },
    },
    ArticlePayload: {
      article: ({ id }, _args, context) =>
        readWritten(() => visibleArticle(articles, id, context), 'the article was deleted or hidden'),
    },
    Article: {
      id: ({ id }) => toGlobalId('Article', id),
      // Null only without the foreign key: an answer is one snapshot, and users with articles aren't deleted.
      author: ({ author_id }, _args, context) =>
        nowOrLater(users(context).byId.load(author_id), (author) => author ?? null),
      tags: ({ tag_ids }, _args, context) => {
        const { byId } = tags(context)
        return nowOrLater(allNowOrLater(tag_ids.map((id) => byId.load(id))), inOrder)
      },
      bodyHtml: ({ body, published_at }, _args, context) =>
        nowOrLater(
          articles(context).html.load({ body, isPublished: published_at !== null }),
          (rendering) => rendering?.html ?? '',
        ),
      viewCount: ({ id }, _args, context) => nowOrLater(articles(context).views.load(id), (views) => views ?? 0),
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
        nowOrLater(
          articles(context).lists.counts.load(makeSelection('published', { tagId: id })),
          (count) => count ?? 0,
        ),
    },
  }
}

/**
 * Checks a search, and returns the form in which articles are searched: see `articles_words` in the migrations. Spellings that mean the
 * same share an entry. PostgreSQL has room for 32 operators that wait for a word, and each minus sign is one.
 */
function searchedForm(search: string): string | undefined {
  const form = checkLength('filter.search', search, { max: 500 }).normalize('NFKC').trim()
  if (!/(?:-[^-\p{L}\p{N}]*){26}/u.test(form)) return form || undefined
  const message = 'filter.search holds more than 25 minus signs with no word between them'
  throw badInput('filter.search', `${message}: ${quote(search)}.`)
}

/** The article with this id, or undefined if there is none that the viewer may see. */
export const visibleArticle = (
  articles: ArticleEntries,
  id: number,
  context: Context,
): PromiseOrValue<Article | undefined> => nowOrLater(articles(context).byId.load(id), visibleTo(context.viewer))

const visibleTo = (viewer: Viewer) => (article: Article | undefined) =>
  article && canSee(viewer, article) ? article : undefined

/** `ArticleFilter` with ids in place of the slug and the username. */
interface ResolvedFilter extends Omit<ArticleFilter, 'tag' | 'author' | 'search'> {
  /** As `searchedForm` makes it. */
  readonly search?: string | undefined
  readonly tagId?: number | undefined
  readonly authorId?: number | undefined
}

function articleConnection(
  articles: ArticleEntries,
  args: PageArguments & { readonly orderBy?: ArticleOrder | null | undefined },
  filter: ResolvedFilter,
  context: Context,
): Connection<Article> {
  const orderBy = args.orderBy ?? 'NEWEST'
  const scope = scopeFor(context.viewer, filter.status ?? undefined, filter.authorId)
  const empty = scope === undefined || filter.tagId === NONE || filter.authorId === NONE
  const selection = makeSelection(scope ?? 'published', filter)
  const see = visibleTo(context.viewer)
  const { byId, lists, searches } = articles(context)
  const { pages, counts } = filter.search === undefined ? lists : searches
  return makeConnection(args, {
    order: articleListOrder(orderBy),
    places: (page) => (empty ? undefined : pages.load({ selection, orderBy, page })),
    node: (id) => nowOrLater(byId.load(id), see),
    totalCount: () => (empty ? 0 : counts.load(selection)),
  })
}

function makeSelection(scope: ArticleSelection['scope'], filter: ResolvedFilter): ArticleSelection {
  return {
    scope,
    status: filter.status ?? undefined,
    tagId: filter.tagId,
    authorId: filter.authorId,
    search: filter.search,
    publishedAfter: filter.publishedAfter ?? undefined,
    publishedBefore: filter.publishedBefore ?? undefined,
  }
}

/** Stands for the id of a tag or an author that does not exist, so that no article matches the filter. */
const NONE = 0
const orNone = (id: number | undefined): number => id ?? NONE

/** The tags of an article in the order of their names. An insertion sort, because for so few it takes half the time of `sort`. */
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
