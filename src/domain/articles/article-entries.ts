import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { columnTag, type Privacy, type Reader, rowTag } from '../../cache/index.ts'
import {
  type CachedTable,
  cachedBy,
  cachedRows,
  inOrderOf,
  isPage,
  isWhole,
  PAGES_AT_ONCE,
  type PlacesOnPage,
  readAsOf,
  readCounts,
  readPages,
  type Weight,
} from '../../database/index.ts'
import { perRequest } from '../../graphql/resolving/index.ts'
import type { Article, ArticleOrder } from '../../graphql/schema/index.ts'
import { isSelfOrAdmin, type Viewer } from '../../identity/index.ts'
import { codeOf } from '../../kernel/code-of.ts'
import {
  type ArticleListPage,
  type ArticleSelection,
  formatList,
  formatSelection,
  orderTags,
  pagedQuery,
  parseList,
  parseSelection,
  selectionQuery,
  selectionTags,
} from './article-list.ts'
import type { MarkdownRenderer } from './markdown-renderer.ts'
import { isRendering, type Rendering } from './rendering.ts'

export interface ArticleEntriesOptions extends Omit<CachedTable, 'table' | 'code'> {
  readonly listTtlMs: number
  readonly renderer: MarkdownRenderer
}

/** The cached kinds of articles: their SQL, and the cache tags that invalidate them. */
export function articleEntries({ cache, database, ttlMs, listTtlMs, renderer }: ArticleEntriesOptions) {
  const code = codeOf('domain/articles/article-entries.ts')
  const source = { cache, database, table: 'articles', ttlMs, code } as const

  const byId = cachedRows<Article>(source, {
    name: 'article',
    columns: sql.join(articleColumns.map((column) => (typeof column === 'string' ? sql.ref(column) : column))),
    alsoOn: (id) => [columnTag('article_tags', 'article_id', id)],
    privacy: (article) => (article && isDraft(article) ? 'sealed' : 'public'),
    policy: { writeThrough: true },
  })

  const bySlug = cachedBy<FoundBySlug>(source, {
    name: 'article-by-slug',
    column: 'slug',
    value: sql`json_build_object('id', id, 'isDraft', published_at is null)`,
    isValue: (found) => typeof found === 'object' && found !== null && 'id' in found && isWhole(found.id),
    // The key is the slug.
    privacy: (found) => (found?.isDraft ? 'memory' : 'public'),
  })

  const views = cache.kind<number, number>({
    name: 'article-views',
    ttlMs: listTtlMs,
    madeOf: [code],
    key: String,
    parseKey: Number,
    tags: (id) => [rowTag('article_stats', id)],
    load: async (ids, source) => {
      const query = sql<{ id: number; views: number }>`
        select article_id as id, views from article_stats where article_id = any(${ids})`
      const read = inOrderOf(ids, await readAsOf(database.loader(source), query), (row) => row.id)
      return { ...read, values: read.values.map((row) => row?.views) }
    },
    isValue: isWhole,
  })

  /** Depends on no row, because it is made of the text in the key alone. A body that can't be rendered has an entry like any other. */
  const html = cache.kind<BodyToRender, Rendering>({
    name: 'article-html',
    ttlMs,
    // Each body is answered as soon as it is rendered.
    maxBatch: 1,
    // A rendering is always stored: otherwise each reader would have it made again.
    maxBytes: Number.POSITIVE_INFINITY,
    // Rendering is quicker than asking Redis for a lease.
    leaseMs: 0,
    madeOf: [code],
    key: ({ body }) => createHash('sha256').update(body).digest('base64url'),
    tags: () => [],
    load: async (bodies) => {
      const asOf = cache.position
      return { asOf, unsettled: false, values: await Promise.all(bodies.map(({ body }) => renderer.render(body))) }
    },
    isValue: isRendering,
    privacy: (_rendering, { isPublished }) => (isPublished ? 'public' : 'sealed'),
  })

  const listsOf = (name: string, weight: Weight, maxBatch: number) => ({
    pages: cache.kind<ArticleListPage, PlacesOnPage>({
      name: `${name}-list`,
      ttlMs: listTtlMs,
      maxBatch,
      madeOf: [code],
      key: formatList,
      parseKey: parseList,
      tags: ({ selection, orderBy }) => [...selectionTags(selection), ...orderTags(orderBy)],
      load: (lists, source) => readPages(database.loader(source, weight), lists.map(pagedQuery)),
      isValue: isPage,
      privacy: (_places, { selection, orderBy }) => listPrivacy(selection, orderBy),
    }),
    counts: cache.kind<ArticleSelection, number>({
      name: `${name}-count`,
      ttlMs: listTtlMs,
      maxBatch,
      madeOf: [code],
      key: formatSelection,
      parseKey: parseSelection,
      tags: selectionTags,
      load: (selections, source) => {
        const queries = selections.map((selection) => selectionQuery(selection))
        return readCounts(database.loader(source, weight), queries)
      },
      isValue: isWhole,
      privacy: (_count, selection) => listPrivacy(selection),
    }),
  })
  const lists = listsOf('article', 'cheap', PAGES_AT_ONCE)
  /** Apart, because the reader of a page that takes no time would wait for the searches that are loaded with it. */
  const searches = listsOf('article-search', 'dear', SEARCHES_AT_ONCE)

  return perRequest((load, { progress }) => ({
    byId: load(byId),
    /** Caches the article as this request has written it, so that the next read is a hit. */
    keep: (article: Article) => byId.writeThrough(article.id, article, progress.wroteFrom),
    bySlug: load(bySlug),
    views: load(views),
    html: load(html, progress.reader.bypass ? withoutBypass(progress.reader) : progress.reader),
    /** What a body looks like that is about to be written. It is no part of the answer. */
    rendering: (body: string) => html.get({ body, isPublished: false }),
    lists: { pages: load(lists.pages), counts: load(lists.counts) },
    searches: { pages: load(searches.pages), counts: load(searches.counts) },
  }))
}

const SEARCHES_AT_ONCE = 4

interface FoundBySlug {
  readonly id: number
  readonly isDraft: boolean
}

export interface BodyToRender {
  readonly body: string
  /** False: it is a draft's, or that is not known yet. */
  readonly isPublished: boolean
}

/** A list of drafts holds ids alone. HAZARD: in order of their titles it holds titles; its key holds what was searched for, and the title that a page begins after. */
const listPrivacy = ({ scope, search }: ArticleSelection, orderBy?: ArticleOrder): Privacy =>
  scope !== 'published' && (search !== undefined || orderBy === 'TITLE') ? 'memory' : 'public'

/** A rendering depends on the body alone. Reading through to the database would only have it made again. */
const withoutBypass = (reader: Reader): Reader => ({
  position: reader.position ?? 0,
  onRead: (...read) => reader.onRead?.(...read),
})

const tagIds = sql<number[]>`array(select tag_id from article_tags where article_id = articles.id order by tag_id)`

/** The columns of a cached article. */
export const articleColumns = [
  'id',
  'slug',
  'title',
  'summary',
  'body',
  'status',
  'author_id',
  'published_at',
  'created_at',
  'updated_at',
  'version',
  tagIds.as('tag_ids'),
] as const

/** The loaders of articles of one request. HAZARD: they also load drafts that the viewer must not see. Check with `canSee`. */
export type ArticleEntries = ReturnType<typeof articleEntries>

/** By the table's constraints exactly the published articles have a date. Looking at that spares a read of the text in `status`. */
const isDraft = ({ published_at }: Pick<Article, 'published_at'>): boolean => published_at === null

/** True unless the article is a draft of another user. Admins see every draft. */
export const canSee = (viewer: Viewer, article: Pick<Article, 'published_at' | 'author_id'>): boolean =>
  !isDraft(article) || isSelfOrAdmin(viewer, article.author_id)
