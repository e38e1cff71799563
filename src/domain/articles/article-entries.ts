import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { columnTag, type Reader, rowTag } from '../../cache/index.ts'
import {
  type CachedTable,
  cachedIds,
  cachedRows,
  inOrderOf,
  isPage,
  isWhole,
  PAGES_AT_ONCE,
  type PlacesOnPage,
  readAsOf,
  readCounts,
  readPages,
} from '../../database/index.ts'
import { EntryLoader, perRequest } from '../../graphql/resolving/index.ts'
import type { Article } from '../../graphql/schema/index.ts'
import { isSelfOrAdmin, type Viewer } from '../../identity/index.ts'
import {
  type ArticleListPage,
  type ArticleSelection,
  formatList,
  formatSelection,
  listsAreMadeOf,
  orderTags,
  pagedQuery,
  parseList,
  parseSelection,
  selectionQuery,
  selectionTags,
} from './article-list.ts'
import type { MarkdownRenderer } from './markdown-renderer.ts'
import type { Rendering } from './rendering.ts'
import { renderingCode } from './rendering-thread.ts'

export interface ArticleEntriesOptions extends Omit<CachedTable, 'table'> {
  readonly listTtlMs: number
  readonly renderer: MarkdownRenderer
}

/** The cached kinds of articles: their SQL, and the cache tags that invalidate them. */
export function articleEntries({ cache, database, ttlMs, listTtlMs, renderer }: ArticleEntriesOptions) {
  const source = { cache, database, table: 'articles', ttlMs } as const

  const byId = cachedRows<Article>(source, {
    name: 'article',
    columns: sql.join(articleColumns.map((column) => (typeof column === 'string' ? sql.ref(column) : column))),
    alsoOn: (id) => [columnTag('article_tags', 'article_id', id)],
    policy: { writeThrough: true },
  })

  const idBySlug = cachedIds(source, { name: 'article-by-slug', column: 'slug' })

  const views = cache.kind<number, number>({
    name: 'article-views',
    ttlMs: listTtlMs,
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
  const html = cache.kind<string, Rendering>({
    name: 'article-html',
    ttlMs,
    // Each body is answered as soon as it is rendered.
    maxBatch: 1,
    // A rendering is always stored: otherwise each reader would have it made again.
    maxBytes: Number.POSITIVE_INFINITY,
    // Rendering is quicker than asking Redis for a lease.
    leaseMs: 0,
    madeOf: [renderingCode()],
    key: (body) => createHash('sha256').update(body).digest('base64url'),
    tags: () => [],
    load: async (bodies) => {
      const asOf = cache.position
      return { asOf, unsettled: false, values: await Promise.all(bodies.map((body) => renderer.render(body))) }
    },
    isValue: (html) => typeof html === 'string',
  })

  const pages = cache.kind<ArticleListPage, PlacesOnPage>({
    name: 'article-list',
    ttlMs: listTtlMs,
    maxBatch: PAGES_AT_ONCE,
    madeOf: listsAreMadeOf(),
    key: formatList,
    parseKey: parseList,
    tags: ({ selection, orderBy }) => [...selectionTags(selection), ...orderTags(orderBy)],
    load: (lists, source) => readPages(database.loader(source), lists.map(pagedQuery)),
    isValue: isPage,
  })

  const counts = cache.kind<ArticleSelection, number>({
    name: 'article-count',
    ttlMs: listTtlMs,
    maxBatch: PAGES_AT_ONCE,
    madeOf: listsAreMadeOf(),
    key: formatSelection,
    parseKey: parseSelection,
    tags: selectionTags,
    load: (selections, source) => {
      const queries = selections.map((selection) => selectionQuery(selection))
      return readCounts(database.loader(source), queries)
    },
    isValue: isWhole,
  })

  return perRequest(({ reader, progress }) => ({
    byId: new EntryLoader(byId, reader),
    /** Caches the article as this request has written it, so that the next read is a hit. */
    keep: (article: Article) => byId.writeThrough(article.id, article, progress.wroteFrom),
    idBySlug: new EntryLoader(idBySlug, reader),
    views: new EntryLoader(views, reader),
    html: new EntryLoader(html, reader.bypass ? withoutBypass(reader) : reader),
    /** What a body looks like that is about to be written. It is no part of the answer. */
    rendering: (body: string) => html.get(body),
    pages: new EntryLoader(pages, reader),
    counts: new EntryLoader(counts, reader),
  }))
}

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

/**
 * True unless the article is a draft of another user. Admins see every draft. By the table's constraints exactly the
 * published articles have a date. Looking at that spares a read of the text in `status`.
 */
export const canSee = (viewer: Viewer, article: Pick<Article, 'published_at' | 'author_id'>): boolean =>
  article.published_at !== null || isSelfOrAdmin(viewer, article.author_id)
