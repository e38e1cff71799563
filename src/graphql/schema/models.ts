import type { ArticleRow, TagRow, UserRow } from '../../database/index.ts'

/** The rows that the cache holds and that resolvers get as parents. */
/** Without the e-mail address, which is an entry of its own: not everyone may know it. */
export type User = Omit<UserRow, 'email'>
export type Tag = TagRow
export type Article = Omit<ArticleRow, 'search' | 'body_words' | 'sorted_at'> & { readonly tag_ids: readonly number[] }

/** What a mutation wrote. Its payload reads it when it is shown, as every request does: another write may have followed. */
export interface Written {
  readonly id: number
}
