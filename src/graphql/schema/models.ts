import type { ArticleRow, TagRow, UserRow } from '../../database/index.ts'

/** The rows that the cache holds and that resolvers get as parents. */
export type User = UserRow
export type Tag = TagRow
export type Article = Omit<ArticleRow, 'search' | 'body_words' | 'sorted_at'> & { readonly tag_ids: readonly number[] }
