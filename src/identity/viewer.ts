import { ClientError } from '../kernel/errors.ts'

/** The user that a request comes from, with their role. A request without a token comes from a visitor. */
export type Viewer =
  | { readonly kind: 'visitor' }
  | { readonly kind: 'author'; readonly userId: number }
  /** Without a `userId` if the admin has no row in `users`. */
  | { readonly kind: 'admin'; readonly userId: number | undefined }

export type SignedIn = Exclude<Viewer, { readonly kind: 'visitor' }>

export const visitor: Viewer = { kind: 'visitor' }

export const userIdOf = (viewer: Viewer): number | undefined => (viewer.kind === 'visitor' ? undefined : viewer.userId)

/** True if the viewer is an admin, or the user with this id. */
export const isSelfOrAdmin = (viewer: Viewer, userId: number): boolean =>
  viewer.kind === 'admin' || (viewer.kind === 'author' && viewer.userId === userId)

/** Throws UNAUTHENTICATED for a visitor. */
export function requireSignedIn(viewer: Viewer): SignedIn {
  if (viewer.kind === 'visitor') throw new ClientError('UNAUTHENTICATED', 'Sign in to do this.')
  return viewer
}

/** Throws UNAUTHENTICATED for a visitor and FORBIDDEN for an author. */
export function requireAdmin(viewer: Viewer): void {
  if (requireSignedIn(viewer).kind !== 'admin') throw new ClientError('FORBIDDEN', 'Only an admin may do this.')
}
