import type { RateLimit } from '../../graphql/resolving/index.ts'
import type { Room } from '../../graphql/schema/index.ts'
import type { Worker } from '../../worker/index.ts'
import type { TagEntries } from '../tags/index.ts'
import type { UserEntries } from '../users/index.ts'
import { type ArticleEntriesOptions, articleEntries } from './article-entries.ts'
import { articleResolvers, visibleArticle } from './article-resolvers.ts'
import { countViews, rankArticles } from './count-views.ts'

export { MarkdownRenderer } from './markdown-renderer.ts'

export interface ArticlesRoomParts extends ArticleEntriesOptions {
  readonly users: UserEntries
  readonly tags: TagEntries
  readonly worker: Worker
  /** How often articles are ranked by their views, in milliseconds. */
  readonly rankEveryMs: number
  /** Limits how often one client may record a view. */
  readonly limitViews: RateLimit
}

/** Everything the API knows about articles, including the fields about articles of User and Tag. */
export function articlesRoom({ users, tags, worker, rankEveryMs, limitViews, ...options }: ArticlesRoomParts): Room {
  const articles = articleEntries(options)
  worker.periodically(rankArticles(rankEveryMs))
  const views = worker.queue(countViews)
  return {
    resolvers: articleResolvers({ articles, users, tags, views, limitViews }),
    nodes: { Article: { find: (id, context) => visibleArticle(articles, id, context), column: 'author_id' } },
  }
}
