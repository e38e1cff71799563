import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { queryOnce } from '../../test/harness/index.ts'
import type { Article, Rows, Tag, User } from './store.ts'

/** What every contestant serves: made by `stet seed`, the same every time, all of it published. */
export interface DataSet {
  /** Where the rows are, as JSON: for those who have no database. */
  readonly file: string
  readonly rows: Rows
  /** A database of one's own with the same rows. */
  copyDatabase(): Promise<string>
}

export const ARTICLES = 10_000

/** @param serverUrl a PostgreSQL server that nobody else uses */
export async function createDataSet(serverUrl: string, directory: string): Promise<DataSet> {
  const urlOf = (name: string) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  await queryOnce(serverUrl, 'create database seeded')
  const amounts = ['--articles', String(ARTICLES), '--users', '1000', '--tags', '200']
  const environment = { ...process.env, DATABASE_URL: urlOf('seeded') }
  await promisify(execFile)(process.execPath, ['dist/stet.js', 'seed', ...amounts], { env: environment })
  await queryOnce(
    urlOf('seeded'),
    `update articles set status = 'PUBLISHED', published_at = created_at where published_at is null`,
  )
  await queryOnce(urlOf('seeded'), 'vacuum analyze')
  const rows = await readRows(urlOf('seeded'))
  const file = join(directory, 'rows.json')
  writeFileSync(file, JSON.stringify(rows))
  let copies = 0
  return {
    file,
    rows,
    copyDatabase: async () => {
      const name = `copy_${++copies}`
      await queryOnce(serverUrl, `create database ${name} template seeded`)
      return urlOf(name)
    },
  }
}

async function readRows(url: string): Promise<Rows> {
  const read = async <T>(query: string) => (await queryOnce(url, query)) as unknown as T[]
  const users = await read<User>(`select id::int, display_name as "displayName" from users order by id`)
  const tags = await read<Tag>('select id::int, slug, name from tags order by id')
  const articles = await read<Article>(
    `select 'Article' as __typename, id::int, slug, title, summary, body, author_id::int as "authorId",
            array(select tag_id::int from article_tags where article_id = articles.id) as "tagIds"
       from articles order by published_at desc, id desc`,
  )
  const byName = [...tags].sort((a, b) => a.name.localeCompare(b.name, 'en') || a.id - b.id).map(({ id }) => id)
  const rank = new Map(byName.map((id, place) => [id, place]))
  const inOrder = (ids: readonly number[]) => [...ids].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0))
  return { users, tags, articles: articles.map((article) => ({ ...article, tagIds: inOrder(article.tagIds) })) }
}
