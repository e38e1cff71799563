import type { RateLimit } from '../../graphql/resolving/index.ts'
import type { Room } from '../../graphql/schema/index.ts'
import type { Worker } from '../../worker/index.ts'
import type { TagEntries } from '../tags/index.ts'
import type { UserEntries } from '../users/index.ts'
import { type ArticleEntriesOptions, articleEntries } from './article-entries.ts'
import { articleResolvers, visibleArticle } from './article-resolvers.ts'
import { countViews, rankArticles } from './count-views.ts'

export interface ArticlesRoomParts extends ArticleEntriesOptions {
  readonly users: UserEntries
  readonly tags: TagEntries
  readonly worker: Worker
  /** How often the articles are put in the order of their views, in milliseconds. */
  readonly rankEveryMs: number
  /** How often somebody may view something. */
  readonly limitViews: RateLimit
}

/** The room of articles, and of what users and tags have to do with them. */
export function articlesRoom({ users, tags, worker, rankEveryMs, limitViews, ...options }: ArticlesRoomParts): Room {
  const articles = articleEntries(options)
  worker.periodically(rankArticles(rankEveryMs))
  const views = worker.queue(countViews)
  return {
    resolvers: articleResolvers({ articles, users, tags, views, limitViews }),
    nodes: { Article: (id, context) => visibleArticle(articles, id, context) },
  }
}
