import { sql } from 'kysely'
import { anyRowTag, type CachedKind } from '../../cache/index.ts'
import { type CachedTable, cachedIds, cachedList, cachedRows, type UserRow } from '../../database/index.ts'
import { perRequest } from '../../graphql/resolving/index.ts'
import type { User } from '../../graphql/schema/index.ts'
import { codeOf } from '../../kernel/code-of.ts'

export const userOrder = { name: 'USERNAME', keyType: 'text' } as const

export type UserSource = Omit<CachedTable, 'table' | 'code'>

/** The columns of a cached user. HAZARD: everyone is given the same row. What not everyone may know is an entry of its own. */
export const userColumns = ['id', 'username', 'display_name', 'bio', 'avatar_url', 'role', 'created_at'] as const

/** The cached rows of users. */
export const userRows = (source: UserSource): CachedKind<number, User> => {
  const columns = sql.join(userColumns.map((column) => sql.ref(column)))
  return cachedRows(ofUsers(source), { name: 'user', columns, policy: { writeThrough: true } })
}

/** The cached kinds of users: their SQL, and the cache tags that invalidate them. */
export function userEntries(parts: UserSource, byId: CachedKind<number, User>) {
  const source = ofUsers(parts)
  const idByUsername = cachedIds(source, { name: 'user-by-username', column: 'username' })
  const emails = cachedRows<Pick<UserRow, 'id' | 'email'>>(source, {
    name: 'user-email',
    columns: sql`id, email`,
    privacy: 'sealed',
  })
  const list = cachedList(source, {
    name: 'user',
    ordering: { value: sql`username`, keyType: userOrder.keyType, id: sql`id`, descending: false },
    tags: [anyRowTag('users')],
  })

  return perRequest((load, { progress }) => ({
    byId: load(byId),
    /** Caches the user as this request has written them, so that the next read is a hit. Undefined: the user was deleted. */
    keep: (id: number, user: User | undefined) => byId.writeThrough(id, user, progress.wroteFrom),
    /** HAZARD: loads the address of any user. Check who asks. */
    emails: load(emails),
    idByUsername: load(idByUsername),
    pages: load(list.pages),
    count: load(list.count),
  }))
}

const ofUsers = (source: UserSource): CachedTable => ({
  ...source,
  table: 'users',
  code: codeOf('domain/users/user-entries.ts'),
})

/** The loaders of users of one request. */
export type UserEntries = ReturnType<typeof userEntries>
