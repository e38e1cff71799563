import { type RawBuilder, sql } from 'kysely'
import { anyRowTag, type CacheTag, columnTag, fieldTag } from '../../cache/index.ts'
import { type Ordering, type Page, type PagedQuery, pageFrom, pageParts } from '../../database/index.ts'
import type { ListOrder } from '../../graphql/resolving/index.ts'
import type { ArticleOrder, ArticleStatus } from '../../graphql/schema/index.ts'
import { userIdOf, type Viewer } from '../../identity/index.ts'

/**
 * Which articles are in a list. HAZARD: it is the key of the list's entry, so everything that decides which articles a
 * viewer gets must be in it. Otherwise one viewer is given the list of another.
 */
export interface ArticleSelection {
  /** Which of these articles the viewer may see. */
  readonly scope: Scope
  readonly status?: ArticleStatus | undefined
  readonly tagId?: number | undefined
  readonly authorId?: number | undefined
  readonly search?: string | undefined
  /** ISO 8601. */
  readonly publishedAfter?: string | undefined
  readonly publishedBefore?: string | undefined
}

/** All articles; published ones only; or published ones and the drafts of one user. */
export type Scope = 'everything' | 'published' | { readonly ownId: number }

/** A page of a selection in an order: the key of a list's entry. */
export interface ArticleListPage {
  readonly selection: ArticleSelection
  readonly orderBy: ArticleOrder
  readonly page: Page
}

/** The text of a selection's key. `parseSelection` reads it back. */
export const formatSelection = (selection: ArticleSelection): string => JSON.stringify(selectionParts(selection))

export const parseSelection = (text: string): ArticleSelection => selectionFrom(JSON.parse(text))

/** The text of a page's key. `parseList` reads it back. */
export const formatList = ({ selection, orderBy, page }: ArticleListPage): string =>
  JSON.stringify([orderBy, selectionParts(selection), pageParts(page)])

export function parseList(text: string): ArticleListPage {
  const [orderBy, selection, page] = JSON.parse(text)
  return { selection: selectionFrom(selection), orderBy, page: pageFrom(page) }
}

/** The fields in a fixed order, so that equal selections have equal keys. */
const selectionParts = (selection: ArticleSelection): readonly unknown[] => [
  typeof selection.scope === 'object' ? selection.scope.ownId : selection.scope,
  selection.status,
  selection.tagId,
  selection.authorId,
  selection.search,
  selection.publishedAfter,
  selection.publishedBefore,
]

function selectionFrom(parts: readonly unknown[]): ArticleSelection {
  const [scope, status, tagId, authorId, search, publishedAfter, publishedBefore] = parts.map(
    (part) => part ?? undefined,
  )
  const where = { status, tagId, authorId, search, publishedAfter, publishedBefore } as Omit<ArticleSelection, 'scope'>
  return { scope: typeof scope === 'number' ? { ownId: scope } : (scope as 'everything' | 'published'), ...where }
}

/**
 * The smallest scope that shows `viewer` everything they may see of a list. The smaller it is, the more viewers share its
 * entry. Undefined if they may see nothing of the list.
 */
export function scopeFor(
  viewer: Viewer,
  status: ArticleStatus | undefined,
  authorId: number | undefined,
): Scope | undefined {
  if (status === 'PUBLISHED') return 'published'
  if (viewer.kind === 'admin') return 'everything'
  const ownId = userIdOf(viewer)
  const own = ownId !== undefined && (authorId === undefined || authorId === ownId)
  if (own) return { ownId }
  return status === 'DRAFT' ? undefined : 'published'
}

/** The narrowest cache tags that fall whenever a row joins the selection, leaves it or moves within it. */
export function selectionTags({ scope, status, tagId, authorId, search }: ArticleSelection): CacheTag[] {
  const tags: CacheTag[] = ['articles']
  if (typeof scope === 'object') tags.push(columnTag('articles', 'author_id', scope.ownId))
  if (authorId !== undefined) tags.push(columnTag('articles', 'author_id', authorId))
  // Publishing an article touches this cache tag for each of its tags: see articles_touch_tags in the migrations.
  if (tagId !== undefined) tags.push(columnTag('article_tags', 'tag_id', tagId))
  if (authorId === undefined && tagId === undefined) {
    if (scope === 'everything' && status === undefined) tags.push(anyRowTag('articles'))
    else if (scope === 'everything' && status === 'DRAFT') tags.push(columnTag('articles', 'status', 'DRAFT'))
    else if (scope === 'published' || status !== 'DRAFT') tags.push(columnTag('articles', 'status', 'PUBLISHED'))
  }
  if (search !== undefined) tags.push(fieldTag('articles', 'search'))
  return tags
}

/** The cache tags that lists in this order depend on, in addition to `selectionTags`. */
export function orderTags(orderBy: ArticleOrder): CacheTag[] {
  switch (orderBy) {
    case 'NEWEST':
    case 'OLDEST':
      return []
    case 'TITLE':
      return [fieldTag('articles', 'title')]
    case 'MOST_VIEWED':
      return [fieldTag('article_stats', 'ranked_views'), anyRowTag('article_stats')]
  }
}

export function articleListOrder(orderBy: ArticleOrder): ListOrder {
  return { name: orderBy, keyType: orderings[orderBy].keyType }
}

export function pagedQuery({ selection, orderBy, page }: ArticleListPage): PagedQuery {
  const { from, where } = selectionQuery(selection, orderBy)
  return { from, where, ordering: orderings[orderBy], page }
}

/** FROM and WHERE of a selection's SQL. */
export function selectionQuery(
  selection: ArticleSelection,
  orderBy: ArticleOrder = 'NEWEST',
): Pick<PagedQuery, 'from' | 'where'> {
  const { scope, status, tagId, authorId, search, publishedAfter, publishedBefore } = selection
  const where: RawBuilder<unknown>[] = []
  if (scope === 'published') where.push(sql`a.status = 'PUBLISHED'`)
  else if (status !== undefined) where.push(sql`a.status = ${status}`)
  if (typeof scope === 'object') {
    where.push(
      status === 'DRAFT'
        ? sql`a.author_id = ${scope.ownId}`
        : sql`a.status = 'PUBLISHED' or a.author_id = ${scope.ownId}`,
    )
  }
  if (authorId !== undefined) where.push(sql`a.author_id = ${authorId}`)
  if (search !== undefined) where.push(sql`a.search @@ websearch_to_tsquery('english', ${search})`)
  if (publishedAfter !== undefined) where.push(sql`a.published_at >= ${publishedAfter}::timestamptz`)
  if (publishedBefore !== undefined) where.push(sql`a.published_at < ${publishedBefore}::timestamptz`)
  const joins = [
    ...(tagId === undefined ? [] : [sql`join article_tags t on t.article_id = a.id and t.tag_id = ${tagId}`]),
    ...(orderBy === 'MOST_VIEWED' ? [sql`join article_stats s on s.article_id = a.id`] : []),
  ]
  return { from: sql.join([sql`articles a`, ...joins], sql` `), where }
}

const id = sql<number>`a.id`
const orderings: Record<ArticleOrder, Ordering> = {
  NEWEST: { value: sql`a.sorted_at`, keyType: 'instant', id, descending: true },
  OLDEST: { value: sql`a.sorted_at`, keyType: 'instant', id, descending: false },
  TITLE: { value: sql`lower(a.title) collate "C"`, keyType: 'text', id, descending: false },
  // By `ranked_views`, not `views`: otherwise every batch of views would invalidate every list in this order.
  MOST_VIEWED: { value: sql`s.ranked_views`, keyType: 'integer', id: sql<number>`s.article_id`, descending: true },
}
