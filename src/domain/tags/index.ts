import type { Room } from '../../graphql/schema/index.ts'
import { type TagEntries, type TagSource, tagEntries } from './tag-entries.ts'
import { tagResolvers } from './tag-resolvers.ts'

export type { TagEntries } from './tag-entries.ts'

/** Everything the API knows about tags of articles. */
export function tagsRoom(parts: TagSource): Room & { readonly entries: TagEntries } {
  const entries = tagEntries(parts)
  return {
    entries,
    resolvers: tagResolvers(entries),
    nodes: { Tag: { find: (id, context) => entries(context).byId.load(id), column: 'description' } },
  }
}
