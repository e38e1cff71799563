import type { Article } from '../../graphql/schema/index.ts'
import { isSelfOrAdmin, requireSignedIn, type Viewer } from '../../identity/index.ts'
import { AskerError } from '../../kernel/errors.ts'

type Owned = Pick<Article, 'status' | 'author_id'>

/** Drafts are seen by their author and admins only. */
export const canSee = (viewer: Viewer, article: Owned): boolean =>
  article.status === 'PUBLISHED' || isSelfOrAdmin(viewer, article.author_id)

export const noSuchArticle = (field: string) => new AskerError('NOT_FOUND', 'There is no such article.', { field })

/** What an article must be for `viewer` to change it. */
export function ownedBy(viewer: Viewer): { readonly author_id?: number } {
  const { kind, userId } = requireSignedIn(viewer)
  return kind === 'admin' ? {} : { author_id: userId }
}

/** Throws unless `viewer` may change the article. A draft that they can't see is not found: not even its existence leaks. */
export function requireOwner<A extends Owned>(viewer: Viewer, article: A | undefined, field: string): A {
  requireSignedIn(viewer)
  if (!article || !canSee(viewer, article)) throw noSuchArticle(field)
  if (!isSelfOrAdmin(viewer, article.author_id)) {
    throw new AskerError('FORBIDDEN', 'Only its author and admins may change an article.', { field })
  }
  return article
}
