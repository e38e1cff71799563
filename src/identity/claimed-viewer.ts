import type { JWTPayload } from 'jose'
import { parseGlobalId } from './global-id.ts'
import { refused } from './refused.ts'
import type { Viewer } from './viewer.ts'

/** The viewer that a token claims to be from. Throws UNAUTHENTICATED (401) if its `role` or `sub` makes no sense. */
export function claimedViewer({ sub, role }: JWTPayload): Viewer {
  const userId = userIdIn(sub)
  if (role === 'admin') return { kind: 'admin', userId }
  if (role !== 'author') throw refused('The claim "role" of the bearer token must be "author" or "admin".')
  if (userId === undefined) throw refused('The claim "sub" of an author\'s bearer token must be the id of a User.')
  return { kind: 'author', userId }
}

/**
 * The row id of the user that a subject names. Undefined if it names no user: then an admin needs no row.
 * HAZARD: what almost is a user's id must be refused. Its bearer would remain an admin once the user is deleted.
 */
function userIdIn(sub: unknown): number | undefined {
  if (sub === undefined) return undefined
  if (typeof sub !== 'string') throw refused('The claim "sub" of the bearer token must be a text.')
  const named = parseGlobalId(sub)
  if (named?.type === 'User') return named.id
  if (/^\W*User:/i.test(Buffer.from(sub, 'base64url').toString('latin1'))) {
    throw refused(
      'The claim "sub" of the bearer token is almost the id of a User: it must be exactly that, or another name.',
    )
  }
  return undefined
}
