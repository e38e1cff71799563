import { slugify } from '../domain/slugify.ts'

/** A name as `users.username` accepts it, underscores included. */
export function usernameOf(name: string): string {
  return /^[a-z0-9][a-z0-9_-]{0,38}$/.test(name) ? name : slugify(name, 39)
}
