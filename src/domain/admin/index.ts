import type { Ledger } from '../../cache/index.ts'
import type { Room } from '../../graphql/schema/index.ts'
import { invalidateCache } from './invalidate-cache.ts'

export { invalidateCache } from './invalidate-cache.ts'
export { touch } from './touch.ts'

/** The room of those who look after the cache. */
export function adminRoom({ ledger }: { readonly ledger: Ledger }): Room {
  return {
    resolvers: {
      Mutation: { invalidateCache: (_parent, { tags, mode }, context) => invalidateCache(context, ledger, tags, mode) },
    },
    nodes: {},
  }
}
