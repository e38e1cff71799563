import type { Room } from '../request/room.ts'
import type { TagEntries } from '../tags/index.ts'
import type { UserEntries } from '../users/index.ts'
import { type ArticleEntriesOptions, articleEntries } from './article-entries.ts'
import { articleResolvers, visibleArticle } from './article-resolvers.ts'

export interface ArticlesRoomParts extends ArticleEntriesOptions {
  readonly users: UserEntries
  readonly tags: TagEntries
}

/** The room of articles, and of what users and tags have to do with them. */
export function articlesRoom({ users, tags, ...options }: ArticlesRoomParts): Room {
  const articles = articleEntries(options)
  return {
    resolvers: articleResolvers({ articles, users, tags }),
    nodes: { Article: (id, context) => visibleArticle(articles, id, context) },
  }
}
