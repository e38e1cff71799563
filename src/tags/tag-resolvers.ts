import { makeConnection, parsePage } from '../request/connection.ts'
import { fromGlobalId, toGlobalId } from '../request/global-id.ts'
import { exactlyOne } from '../request/input.ts'
import type { Resolvers } from '../request/resolvers.generated.ts'
import { type TagEntries, tagOrder } from './tag-entries.ts'
import { tagMutations } from './tag-mutations.ts'

export function tagResolvers(entries: TagEntries): Resolvers {
  return {
    Query: {
      tag: async (_parent, { id, slug }, context) => {
        const [by, value] = exactlyOne({ id, slug })
        const { byId, idBySlug } = entries(context)
        const tagId = by === 'id' ? fromGlobalId('Tag', value) : await idBySlug.load(value)
        return tagId === undefined ? null : byId.load(tagId)
      },
      tags: (_parent, args, context) => {
        const page = parsePage(args, tagOrder)
        const { byId, page: places, count } = entries(context)
        return makeConnection({
          page,
          order: tagOrder,
          places: () => places(page),
          nodes: (ids) => Promise.all(ids.map((id) => byId.load(id))),
          totalCount: count,
        })
      },
    },
    Mutation: tagMutations(entries),
    Tag: { id: ({ id }) => toGlobalId('Tag', id) },
  }
}
