import { sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { AuthorName, UserRecord } from './content-record.ts'
import { type Counts, NONE } from './import-report.ts'

export interface UsersToWrite {
  readonly records: readonly UserRecord[]
  readonly authors: readonly AuthorName[]
}

/** Creates or updates each user of `records`; creates the `authors` that are not there yet. */
export async function writeUsers(
  transaction: Transaction<Tables>,
  { records, authors }: UsersToWrite,
): Promise<Counts> {
  const counts = records.length > 0 ? await upsertUsers(transaction, records) : NONE
  const unique = [...new Map(authors.map((author) => [author.username, author])).values()]
  const created = unique.length > 0 ? await createAuthors(transaction, unique) : 0
  return { ...counts, created: counts.created + created }
}

async function upsertUsers(transaction: Transaction<Tables>, records: readonly UserRecord[]): Promise<Counts> {
  const { rows } = await sql<{ created: boolean }>`
    with wanted as (
      select r->>'username' as username,
             coalesce(r->>'displayName', display_name, r->>'username') as display_name,
             coalesce(r->>'email', email, (r->>'username') || '@example.invalid') as email,
             coalesce(r->>'bio', bio, '') as bio,
             case when r ? 'avatarUrl' then r->>'avatarUrl' else avatar_url end as avatar_url,
             coalesce(r->>'role', role, 'AUTHOR') as role,
             coalesce((r->>'createdAt')::timestamptz, created_at, now()) as created_at,
             n
        from jsonb_array_elements(${JSON.stringify(records)}::jsonb) with ordinality as given (r, n)
        left join users on username = r->>'username'
    )
    insert into users (username, display_name, email, bio, avatar_url, role, created_at)
    select username, display_name, email, bio, avatar_url, role, created_at
      from wanted
     where not exists (
       select from users u
        where u.username = wanted.username
          and (u.display_name, u.email, u.bio, u.avatar_url, u.role, u.created_at) is not distinct from
              (wanted.display_name, wanted.email, wanted.bio, wanted.avatar_url, wanted.role, wanted.created_at)
     )
     order by n
    on conflict (username) do update set
      display_name = excluded.display_name, email = excluded.email, bio = excluded.bio,
      avatar_url = excluded.avatar_url, role = excluded.role, created_at = excluded.created_at
    returning xmax = 0 as created
  `.execute(transaction)
  const created = rows.filter((row) => row.created).length
  return { created, updated: rows.length - created, unchanged: records.length - rows.length }
}

async function createAuthors(transaction: Transaction<Tables>, authors: readonly AuthorName[]): Promise<number> {
  const { rows } = await sql`
    insert into users (username, display_name, email)
    select username, "displayName", coalesce(email, username || '@example.invalid')
      from jsonb_to_recordset(${JSON.stringify(authors)}::jsonb) as given (username text, "displayName" text, email text)
     where not exists (select from users u where u.username = given.username)
    on conflict (username) do nothing
    returning 1
  `.execute(transaction)
  return rows.length
}
