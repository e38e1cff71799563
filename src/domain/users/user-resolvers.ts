import { makeConnection, parsePage } from '../../graphql/resolving/index.ts'
import type { Resolvers } from '../../graphql/schema/index.ts'
import { fromGlobalId, isSelfOrAdmin, toGlobalId, userIdOf } from '../../identity/index.ts'
import { exactlyOne } from '../../kernel/input.ts'
import { nowOrLater } from '../../kernel/promise-or-value.ts'
import { type UserEntries, userOrder } from './user-entries.ts'
import { userMutations } from './user-mutations.ts'

export function userResolvers(entries: UserEntries): Resolvers {
  return {
    Query: {
      user: (_parent, { id, username }, context) => {
        const [by, value] = exactlyOne({ id, username })
        const { byId, idByUsername } = entries(context)
        const userId = by === 'id' ? fromGlobalId('User', value) : idByUsername.load(value)
        return nowOrLater(userId, (id) => (id === undefined ? null : byId.load(id)))
      },
      users: (_parent, args, context) => {
        const page = parsePage(args, userOrder)
        const { byId, pages, count } = entries(context)
        return makeConnection({
          page,
          order: userOrder,
          places: () => pages.load(page),
          node: (id) => byId.load(id),
          totalCount: () => count.load('all'),
        })
      },
      viewer: (_parent, _args, context) => {
        const userId = userIdOf(context.viewer)
        return userId === undefined ? null : entries(context).byId.load(userId)
      },
    },
    Mutation: userMutations(entries),
    User: {
      id: ({ id }) => toGlobalId('User', id),
      displayName: ({ display_name }) => display_name,
      avatarUrl: ({ avatar_url }) => avatar_url,
      createdAt: ({ created_at }) => created_at,
      email: ({ id, email }, _args, { viewer }) => (isSelfOrAdmin(viewer, id) ? email : null),
    },
  }
}
