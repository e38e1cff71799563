import type { Cache } from '../../cache/index.ts'
import type { Database } from '../../database/index.ts'
import type { Room } from '../../graphql/schema/index.ts'
import { type UserEntries, userEntries } from './user-entries.ts'
import { userResolvers } from './user-resolvers.ts'

export type { UserEntries } from './user-entries.ts'

/** Everything the API knows about users. */
export function usersRoom(parts: {
  readonly cache: Cache
  readonly database: Database
  readonly ttlMs: number
}): Room & { readonly entries: UserEntries } {
  const entries = userEntries(parts)
  return {
    entries,
    resolvers: userResolvers(entries),
    nodes: { User: { find: (id, context) => entries(context).byId.load(id), column: 'username' } },
  }
}
