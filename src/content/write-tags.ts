import { sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { TagName, TagRecord } from './content-record.ts'
import { type Counts, NONE } from './import-report.ts'

export interface TagsToWrite {
  readonly records: readonly TagRecord[]
  readonly names: readonly TagName[]
}

/** Creates or updates each tag of `records`; creates the tags of `names` that are not there yet. */
export async function writeTags(transaction: Transaction<Tables>, { records, names }: TagsToWrite): Promise<Counts> {
  const counts = records.length > 0 ? await upsertTags(transaction, records) : NONE
  const unique = [...new Map(names.map((tag) => [tag.slug, tag])).values()]
  const created = unique.length > 0 ? await createTags(transaction, unique) : 0
  return { ...counts, created: counts.created + created }
}

async function upsertTags(transaction: Transaction<Tables>, records: readonly TagRecord[]): Promise<Counts> {
  const { rows } = await sql<{ created: boolean }>`
    with wanted as (
      select r->>'slug' as slug,
             coalesce(r->>'name', name, r->>'slug') as name,
             coalesce(r->>'description', description, '') as description,
             n
        from jsonb_array_elements(${JSON.stringify(records)}::jsonb) with ordinality as given (r, n)
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
    returning xmax = 0 as created
  `.execute(transaction)
  const created = rows.filter((row) => row.created).length
  return { created, updated: rows.length - created, unchanged: records.length - rows.length }
}

async function createTags(transaction: Transaction<Tables>, names: readonly TagName[]): Promise<number> {
  const { rows } = await sql`
    insert into tags (slug, name)
    select slug, name
      from jsonb_to_recordset(${JSON.stringify(names)}::jsonb) as given (slug text, name text)
     where not exists (select from tags t where t.slug = given.slug)
    on conflict (slug) do nothing
    returning 1
  `.execute(transaction)
  return rows.length
}
