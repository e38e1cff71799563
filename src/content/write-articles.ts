import { sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { ArticleRecord } from './content-record.ts'
import { type Counts, NONE } from './import-report.ts'

/** Creates or updates articles and their tags. HAZARD: skips an article whose author does not exist. Write users and tags first. */
export async function writeArticles(
  transaction: Transaction<Tables>,
  articles: readonly ArticleRecord[],
): Promise<Counts> {
  if (articles.length === 0) return NONE
  const written = await upsertArticles(transaction, articles)
  const retagged = await setTags(transaction, articles)
  await raiseViews(transaction, articles)
  const created = new Set(written.filter((row) => row.created).map((row) => row.slug))
  const touched = new Set([...written, ...retagged].map((row) => row.slug))
  return {
    created: created.size,
    updated: touched.size - created.size,
    unchanged: articles.length - touched.size,
  }
}

/** Writes the articles that differ from their rows, and returns their slugs. */
async function upsertArticles(transaction: Transaction<Tables>, articles: readonly ArticleRecord[]) {
  const given = articles.map(({ tags, author, ...article }, n) => ({ ...article, n, username: author.username }))
  const { rows } = await sql<{ slug: string; created: boolean }>`
    with wanted as (
      select n, g.slug, g.title, g.summary, g.body, g.status, users.id as author_id,
             case when g.status = 'PUBLISHED'
                  then coalesce(g."publishedAt", old.published_at, g."createdAt", now()) end as published_at,
             coalesce(g."createdAt", old.created_at, least(g."publishedAt", now())) as created_at,
             coalesce(g."updatedAt", least(g."publishedAt", now())) as updated_at,
             old.id as old_id
        from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as g (
               n int, slug text, title text, summary text, body text, status text, username text,
               "publishedAt" timestamptz, "createdAt" timestamptz, "updatedAt" timestamptz
             )
        join users using (username)
        left join articles old on old.slug = g.slug
    )
    insert into articles (slug, title, summary, body, status, author_id, published_at, created_at, updated_at)
    select slug, title, summary, body, status, author_id, published_at, created_at, updated_at
      from wanted
     where old_id is null or not exists (
       select from articles a
        where a.id = old_id
          and (a.title, a.summary, a.body, a.status, a.author_id, a.published_at, a.created_at) is not distinct from
              (wanted.title, wanted.summary, wanted.body, wanted.status, wanted.author_id, wanted.published_at,
               wanted.created_at)
     )
     order by n
    on conflict (slug) do update set
      title = excluded.title, summary = excluded.summary, body = excluded.body, status = excluded.status,
      author_id = excluded.author_id, published_at = excluded.published_at, created_at = excluded.created_at
    returning slug, xmax = 0 as created
  `.execute(transaction)
  return rows
}

/** Sets the tags of all articles, and returns the slugs of those whose tags changed. */
async function setTags(transaction: Transaction<Tables>, articles: readonly ArticleRecord[]) {
  const wanted = articles.flatMap(({ slug, tags }) => tags.map((tag) => ({ article: slug, tag: tag.slug })))
  const { rows } = await sql<{ slug: string }>`
    with given as (
      select id from articles where slug = any (${articles.map(({ slug }) => slug)}::text[])
    ), wanted as (
      select articles.id as article_id, tags.id as tag_id
        from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as pair (article text, tag text)
        join articles on articles.slug = pair.article
        join tags on tags.slug = pair.tag
    ), gone as (
      delete from article_tags
       where article_id in (select id from given)
         and (article_id, tag_id) not in (select article_id, tag_id from wanted)
      returning article_id
    ), come as (
      insert into article_tags (article_id, tag_id)
      select article_id, tag_id from wanted
      except select article_id, tag_id from article_tags where article_id in (select id from given)
      on conflict do nothing
      returning article_id
    )
    select slug from articles where id in (select article_id from gone union select article_id from come)
  `.execute(transaction)
  return rows
}

async function raiseViews(transaction: Transaction<Tables>, articles: readonly ArticleRecord[]): Promise<void> {
  const counted = articles.filter(({ views }) => views).map(({ slug, views }) => ({ slug, views }))
  if (counted.length === 0) return
  await sql`
    update article_stats stats
       set views = given.views, ranked_views = given.views
      from jsonb_to_recordset(${JSON.stringify(counted)}::jsonb) as given (slug text, views bigint)
      join articles using (slug)
     where stats.article_id = articles.id and stats.views < given.views
  `.execute(transaction)
}
