import { differsFrom } from '../../database/index.ts'
import { type ConstraintErrors, makeConnection, readWritten } from '../../graphql/resolving/index.ts'
import type { CreateUserInput, MutationResolvers, Resolvers, UpdateUserInput } from '../../graphql/schema/index.ts'
import {
  fromGlobalId,
  isSelfOrAdmin,
  requireAdmin,
  requireSignedIn,
  toGlobalId,
  userIdOf,
} from '../../identity/index.ts'
import { ClientError } from '../../kernel/errors.ts'
import { checkLength, checkPattern, checkUrl, exactlyOne, given, quote } from '../../kernel/input.ts'
import { nowOrLater } from '../../kernel/promise-or-value.ts'
import { type UserEntries, userColumns, userOrder } from './user-entries.ts'

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
        const { byId, pages, count } = entries(context)
        return makeConnection(args, {
          order: userOrder,
          places: (page) => pages.load(page),
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
    UserPayload: {
      user: ({ id }, _args, context) => readWritten(() => entries(context).byId.load(id), 'the user was deleted'),
    },
    User: {
      id: ({ id }) => toGlobalId('User', id),
      displayName: ({ display_name }) => display_name,
      avatarUrl: ({ avatar_url }) => avatar_url,
      createdAt: ({ created_at }) => created_at,
      email: ({ id }, _args, context) =>
        isSelfOrAdmin(context.viewer, id)
          ? nowOrLater(entries(context).emails.load(id), (row) => row?.email ?? null)
          : null,
    },
  }
}

function userMutations(entries: UserEntries): MutationResolvers {
  return {
    createUser: async (_parent, { input }, context) => {
      requireAdmin(context.viewer)
      const values = {
        ...checkUser(input),
        username: input.username,
        display_name: input.displayName,
        email: sameForm(input.email),
      }
      const user = await context.writeAtOnce(
        (primary) => primary.insertInto('users').values(values).returning(userColumns).executeTakeFirstOrThrow(),
        constraintErrors(values),
      )
      entries(context).keep(user.id, user)
      return { id: user.id }
    },

    updateUser: async (_parent, { input }, context) => {
      const id = fromGlobalId('User', input.id, 'input.id')
      const viewer = requireSignedIn(context.viewer)
      if (!isSelfOrAdmin(viewer, id)) {
        throw new ClientError('FORBIDDEN', 'Only the user and admins may change a profile.', { field: 'input.id' })
      }
      if (input.role != null && viewer.kind !== 'admin') {
        throw new ClientError('FORBIDDEN', 'Only an admin may change a role.', { field: 'input.role' })
      }
      const changes = checkUser(input)
      const user = await context.writeAtOnce(async (primary) => {
        const query = primary
          .updateTable('users')
          .set({ ...changes, id })
          .where('id', '=', id)
        const changed = await query.where(differsFrom(changes)).returning(userColumns).executeTakeFirst()
        if (changed) return changed
        const present = primary.selectFrom('users').select('id').where('id', '=', id)
        await present.executeTakeFirstOrThrow(() => noSuchUser('input.id'))
        return undefined
      }, constraintErrors(changes))
      if (user) entries(context).keep(id, user)
      return { id }
    },

    deleteUser: async (_parent, { id: globalId }, context) => {
      requireAdmin(context.viewer)
      const id = fromGlobalId('User', globalId)
      await context.writeAtOnce((primary) => {
        const query = primary.deleteFrom('users').where('id', '=', id).returning('id')
        return query.executeTakeFirstOrThrow(() => noSuchUser('id'))
      }, constraintErrors({}))
      entries(context).keep(id, undefined)
      return { deletedId: globalId }
    },
  }
}

const noSuchUser = (field: string) => new ClientError('NOT_FOUND', 'There is no such user.', { field })

type Names = { readonly username?: string; readonly email?: string }

const constraintErrors = ({ username = '', email = '' }: Names): ConstraintErrors => ({
  users_username_key: ['USERNAME_TAKEN', `Another user has the username ${quote(username)}.`, 'input.username'],
  users_email_key: ['EMAIL_TAKEN', `Another user has the e-mail address ${quote(email)}.`, 'input.email'],
  articles_author_id_fkey: ['USER_HAS_ARTICLES', 'The user still has articles: delete them first.', 'id'],
})

/** Checks the fields of an input, and returns the columns of those that are given. Null empties `avatarUrl`; any other null means absent. */
function checkUser(input: CreateUserInput | UpdateUserInput) {
  const { username, displayName, email, bio, avatarUrl, role } = input
  if (username != null) {
    checkPattern(
      'input.username',
      username,
      /^[a-z0-9][a-z0-9_-]{0,38}$/,
      'lower-case letters, digits, "-" and "_", at most 39',
    )
  }
  if (displayName != null) checkLength('input.displayName', displayName, { min: 1, max: 100 })
  if (email != null) {
    checkPattern(
      'input.email',
      checkLength('input.email', email, { max: 254 }),
      // No control or format characters: they are invisible, and PostgreSQL takes some of them for spaces.
      /^[^@\s\p{C}]+@[^@\s\p{C}]+$/u,
      'an e-mail address',
    )
    checkLength('input.email', sameForm(email), { max: 254 })
  }
  if (bio != null) checkLength('input.bio', bio, { max: 2000 })
  if (avatarUrl != null) checkUrl('input.avatarUrl', avatarUrl, 2000)
  return {
    ...given({ username, display_name: displayName, email: email && sameForm(email), bio, role }),
    ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
  }
}

/** As RFC 6532 wants an address (NFC), so that nobody takes another user's address by composing its letters otherwise. */
const sameForm = (email: string): string => email.normalize('NFC')
