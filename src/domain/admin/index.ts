import type { Ledger } from '../../cache/index.ts'
import type { Room } from '../../graphql/schema/index.ts'
import { invalidateCache } from './invalidate-cache.ts'

export { invalidateCache, touch } from './invalidate-cache.ts'

/** The mutation with which admins invalidate cached entries. */
export function adminRoom({ ledger }: { readonly ledger: Ledger }): Room {
  return {
    resolvers: {
      Mutation: { invalidateCache: (_parent, { tags, mode }, context) => invalidateCache(context, ledger, tags, mode) },
    },
    nodes: {},
  }
}
