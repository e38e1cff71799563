import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { queryOnce } from '../../test/harness/index.ts'
import type { Article, Rows, Tag, User } from './store.ts'

/** What every contestant serves. `stet seed` makes it, the same every time. All of it is published. */
export interface DataSet {
  /** A file with the rows as JSON, for contestants without a database. */
  readonly file: string
  readonly rows: Rows
  /**
   * Resolves with the URL of a new database with the same rows.
   * @param directory where a Stet is built that seeds it: each version has tables of its own
   */
  copyDatabase(directory: string): Promise<string>
}

export const ARTICLES = 10_000

/** @param serverUrl a PostgreSQL server that is used for this alone */
export async function createDataSet(serverUrl: string, directory: string): Promise<DataSet> {
  const urlOf = (name: string) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  const seeded = new Map<string, Promise<string>>()
  const seededBy = (stet: string) => {
    const known = seeded.get(stet)
    if (known) return known
    const name = `seeded_${seeded.size + 1}`
    const made = queryOnce(serverUrl, `create database ${name}`)
      .then(() => seed(urlOf(name), stet))
      .then(() => name)
    seeded.set(stet, made)
    return made
  }
  const rows = await readRows(urlOf(await seededBy('.')))
  const file = join(directory, 'rows.json')
  writeFileSync(file, JSON.stringify(rows))
  let copies = 0
  return {
    file,
    rows,
    copyDatabase: async (stet) => {
      const name = `copy_${++copies}`
      await queryOnce(serverUrl, `create database ${name} template ${await seededBy(stet)}`)
      return urlOf(name)
    },
  }
}

async function seed(url: string, stet: string): Promise<void> {
  const amounts = ['--articles', String(ARTICLES), '--users', '1000', '--tags', '200']
  const environment = { ...process.env, DATABASE_URL: url }
  await promisify(execFile)(process.execPath, ['dist/stet.js', 'seed', ...amounts], { cwd: stet, env: environment })
  await queryOnce(url, `update articles set status = 'PUBLISHED', published_at = created_at where published_at is null`)
  await queryOnce(url, 'vacuum analyze')
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
