import { makeConnection, parsePage } from '../../graphql/resolving/index.ts'
import type { Resolvers } from '../../graphql/schema/index.ts'
import { fromGlobalId, toGlobalId } from '../../identity/index.ts'
import { exactlyOne } from '../../kernel/input.ts'
import { nowOrLater } from '../../kernel/promise-or-value.ts'
import { type TagEntries, tagOrder } from './tag-entries.ts'
import { tagMutations } from './tag-mutations.ts'

export function tagResolvers(entries: TagEntries): Resolvers {
  return {
    Query: {
      tag: (_parent, { id, slug }, context) => {
        const [by, value] = exactlyOne({ id, slug })
        const { byId, idBySlug } = entries(context)
        const tagId = by === 'id' ? fromGlobalId('Tag', value) : idBySlug.load(value)
        return nowOrLater(tagId, (id) => (id === undefined ? null : byId.load(id)))
      },
      tags: (_parent, args, context) => {
        const page = parsePage(args, tagOrder)
        const { byId, pages, count } = entries(context)
        return makeConnection({
          page,
          order: tagOrder,
          places: () => pages.load(page),
          node: (id) => byId.load(id),
          totalCount: () => count.load('all'),
        })
      },
    },
    Mutation: tagMutations(entries),
    Tag: { id: ({ id }) => toGlobalId('Tag', id) },
  }
}
