import type { Article } from '../../graphql/schema/index.ts'
import { isSelfOrAdmin, requireSignedIn, type Viewer } from '../../identity/index.ts'
import { ClientError } from '../../kernel/errors.ts'

type Owned = Pick<Article, 'published_at' | 'author_id'>

/**
 * True unless the article is a draft of another user. Admins see every draft. By the table's constraints exactly the published articles have a
 * date. Looking at that spares a read of the text in `status`.
 */
export const canSee = (viewer: Viewer, article: Owned): boolean =>
  article.published_at !== null || isSelfOrAdmin(viewer, article.author_id)

export const noSuchArticle = (field: string) => new ClientError('NOT_FOUND', 'There is no such article.', { field })

/** The columns that an article must have for `viewer` to change it: a condition for SQL. Throws UNAUTHENTICATED for a visitor. */
export function ownedBy(viewer: Viewer): { readonly author_id?: number } {
  const { kind, userId } = requireSignedIn(viewer)
  return kind === 'admin' ? {} : { author_id: userId }
}

/**
 * Returns the article if `viewer` may change it. Throws FORBIDDEN otherwise, or NOT_FOUND if the viewer may not even see
 * it, so that nobody learns that a draft exists.
 */
export function requireOwner<A extends Owned>(viewer: Viewer, article: A | undefined, field: string): A {
  requireSignedIn(viewer)
  if (!article || !canSee(viewer, article)) throw noSuchArticle(field)
  if (!isSelfOrAdmin(viewer, article.author_id)) {
    throw new ClientError('FORBIDDEN', 'Only its author and admins may change an article.', { field })
  }
  return article
}
