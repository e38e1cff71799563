import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { AuthorName, TagName, TagRecord, UserRecord } from './content-record.ts'
import { type FoundAuthor, findAuthors } from './find-authors.ts'
import type { Counts } from './import-report.ts'

/**
 * Creates or updates each user of `records`. Creates an author only if there is no such user: `found` says who is meant. An author whose e-mail
 * address is another user's is created without it, and named in `withoutEmail`.
 */
export async function writeUsers(
  transaction: Transaction<Tables>,
  { records, authors }: { readonly records: readonly UserRecord[]; readonly authors: readonly AuthorName[] },
): Promise<UsersWritten> {
  const upserted = await rowsOf(transaction, records, upsertUsers)
  const found = await findAuthors(transaction, authors)
  const people = [...found.values()].map(({ author }) => author)
  const created = await rowsOf(transaction, unique(people, 'username'), createAuthors)
  return {
    found,
    counts: countsOf(records.length, upserted, created),
    withoutEmail: new Set(created.filter((row) => row.isEmailTaken).map((row) => row.username ?? '')),
  }
}

interface UsersWritten {
  readonly counts: Counts
  readonly found: ReadonlyMap<AuthorName, FoundAuthor>
  /** The usernames of those who were created without their e-mail address. */
  readonly withoutEmail: ReadonlySet<string>
}

/** Creates or updates each tag of `records`. Creates a tag of `names` only if there is no tag of that slug. */
export async function writeTags(
  transaction: Transaction<Tables>,
  { records, names }: { readonly records: readonly TagRecord[]; readonly names: readonly TagName[] },
): Promise<Counts> {
  const upserted = await rowsOf(transaction, records, upsertTags)
  const created = await rowsOf(transaction, unique(names, 'slug'), createTags)
  return countsOf(records.length, upserted, created)
}

interface WrittenRow {
  /** False if the row existed and was updated. */
  readonly created: boolean
  /** Only of authors. */
  readonly username?: string
  readonly isEmailTaken?: boolean
}

/** Runs a statement that takes `items` as JSON, unless there are none. */
async function rowsOf<T>(
  transaction: Transaction<Tables>,
  items: readonly T[],
  statement: (json: string) => RawBuilder<WrittenRow>,
): Promise<readonly WrittenRow[]> {
  return items.length > 0 ? (await statement(JSON.stringify(items)).execute(transaction)).rows : []
}

/** The first item of each key. */
function unique<T>(items: readonly T[], key: keyof T): T[] {
  const first = new Map<unknown, T>()
  for (const item of items) if (!first.has(item[key])) first.set(item[key], item)
  return [...first.values()]
}

function countsOf(given: number, upserted: readonly WrittenRow[], named: readonly WrittenRow[]): Counts {
  const created = upserted.filter((row) => row.created).length
  return {
    created: created + named.length,
    updated: upserted.length - created,
    unchanged: given - upserted.length,
  }
}

const upsertUsers = (json: string) => sql<WrittenRow>`
  with wanted as (
    select r->>'username' as username,
           coalesce(r->>'displayName', display_name, r->>'username') as display_name,
           coalesce(r->>'email', email, (r->>'username') || '@example.invalid') as email,
           coalesce(r->>'bio', bio, '') as bio,
           case when r ? 'avatarUrl' then r->>'avatarUrl' else avatar_url end as avatar_url,
           coalesce(r->>'role', role, 'AUTHOR') as role,
           coalesce((r->>'createdAt')::timestamptz, created_at, now()) as created_at,
           n
      from jsonb_array_elements(${json}::jsonb) with ordinality as given (r, n)
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
  returning xmax = 0 as created`

const createAuthors = (json: string) => sql<WrittenRow>`
  insert into users (username, display_name, email)
  select username, "displayName", case when "isTaken" then username || '@example.invalid' else email end
    from (
      select username, "displayName", email,
             email is null or exists (select from users u where lower(u.email) = lower(given.email))
               or row_number() over (partition by lower(email) order by username) > 1 as "isTaken"
        from jsonb_to_recordset(${json}::jsonb) as given (username text, "displayName" text, email text)
       where not exists (select from users u where u.username = given.username)
    ) as authors
  on conflict (username) do nothing
  returning true as created, username, email = username || '@example.invalid' as "isEmailTaken"`

const upsertTags = (json: string) => sql<WrittenRow>`
  with wanted as (
    select r->>'slug' as slug,
           coalesce(r->>'name', name, r->>'slug') as name,
           coalesce(r->>'description', description, '') as description,
           n
      from jsonb_array_elements(${json}::jsonb) with ordinality as given (r, n)
      left join tags on slug = r->>'slug'
  )
  insert into tags (slug, name, description)
  select slug, name, description
    from wanted
   where not exists (
     select from tags t
      where t.slug = wanted.slug and (t.name, t.description) = (wanted.name, wanted.description)
   )
   order by n
  on conflict (slug) do update set name = excluded.name, description = excluded.description
  returning xmax = 0 as created`

const createTags = (json: string) => sql<WrittenRow>`
  insert into tags (slug, name)
  select slug, name
    from jsonb_to_recordset(${json}::jsonb) as given (slug text, name text)
   where not exists (select from tags t where t.slug = given.slug)
  on conflict (slug) do nothing
  returning true as created`
