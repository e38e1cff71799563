import type { CachedKind } from '../../cache/index.ts'
import type { Room, User } from '../../graphql/schema/index.ts'
import { type UserEntries, type UserSource, userEntries, userRows } from './user-entries.ts'
import { userResolvers } from './user-resolvers.ts'

export type { UserEntries } from './user-entries.ts'

/** Everything the API knows about users. */
export function usersRoom(
  source: UserSource,
): Room & { readonly entries: UserEntries; readonly rows: CachedKind<number, User> } {
  const rows = userRows(source)
  const entries = userEntries(source, rows)
  return {
    entries,
    rows,
    resolvers: userResolvers(entries),
    nodes: { User: { find: (id, context) => entries(context).byId.load(id), column: 'username' } },
  }
}
