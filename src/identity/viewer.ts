import { AskerError } from '../kernel/errors.ts'

/** Who is asking. */
export type Viewer =
  | { readonly kind: 'visitor' }
  | { readonly kind: 'author'; readonly userId: number }
  /** An admin need not have a row. */
  | { readonly kind: 'admin'; readonly userId: number | undefined }

export type SignedIn = Exclude<Viewer, { readonly kind: 'visitor' }>

export const visitor: Viewer = { kind: 'visitor' }

/** The user's id, undefined where there is none. */
export const userIdOf = (viewer: Viewer): number | undefined => (viewer.kind === 'visitor' ? undefined : viewer.userId)

/** True for an admin, and for the user whose id it is. */
export const isSelfOrAdmin = (viewer: Viewer, userId: number): boolean =>
  viewer.kind === 'admin' || (viewer.kind === 'author' && viewer.userId === userId)

export function requireSignedIn(viewer: Viewer): SignedIn {
  if (viewer.kind === 'visitor') throw new AskerError('UNAUTHENTICATED', 'Sign in to do this.')
  return viewer
}

export function requireAdmin(viewer: Viewer): void {
  if (requireSignedIn(viewer).kind !== 'admin') throw new AskerError('FORBIDDEN', 'Only an admin may do this.')
}
