import type { ArticleRow, TagRow, UserRow } from '../../database/index.ts'

/** What resolvers are given, and what the cache holds. */
export type User = UserRow
export type Tag = TagRow
export type Article = Omit<ArticleRow, 'search' | 'body_words' | 'sorted_at'> & { readonly tag_ids: readonly number[] }
