import { sql } from 'kysely'
import { anyRowTag, type Cache } from '../../cache/index.ts'
import { cachedIds, cachedList, cachedRows, type Database } from '../../database/index.ts'
import { EntryLoader, perRequest } from '../../graphql/resolving/index.ts'
import type { User } from '../../graphql/schema/index.ts'

export const userOrder = { name: 'USERNAME', keyType: 'text' } as const

/** Everything about users that is cached: the SQL behind it, and what it depends on. */
export function userEntries(parts: { readonly cache: Cache; readonly database: Database; readonly ttlMs: number }) {
  const source = { ...parts, table: 'users' } as const
  const byId = cachedRows<User>(source, {
    name: 'user',
    columns: sql`id, username, display_name, email, bio, avatar_url, role, created_at`,
    policy: { writeThrough: true },
  })
  const idByUsername = cachedIds(source, { name: 'user-by-username', column: 'username' })
  const list = cachedList(source, {
    name: 'user',
    ordering: { value: sql`username`, keyType: userOrder.keyType, id: sql`id`, descending: false },
    tags: [anyRowTag('users')],
  })

  return perRequest(({ reader, progress }) => ({
    byId: new EntryLoader(byId, reader),
    /** Keeps what this request has just written, undefined where it deleted the user: the next read is a hit. */
    keep: (id: number, user: User | undefined) => byId.writeThrough(id, user, progress.wroteFrom),
    idByUsername: new EntryLoader(idByUsername, reader),
    pages: new EntryLoader(list.pages, reader),
    count: new EntryLoader(list.count, reader),
  }))
}

/** Users as a request sees them. */
export type UserEntries = ReturnType<typeof userEntries>
