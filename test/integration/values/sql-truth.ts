import { queryOnce } from '../../harness/index.ts'

/** A row as an answer must show it, by the fields of the schema. */
type Shown = Readonly<Record<string, unknown>>

export interface Truth {
  readonly users: ReadonlyMap<string, Shown>
  readonly tags: ReadonlyMap<string, Shown>
  readonly articles: ReadonlyMap<string, Shown>
}

const instant = (column: string) =>
  `to_char(date_trunc('milliseconds', ${column} at time zone 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** What the tables hold, by global id: read as text, so that nothing on the way can round it. */
export async function readTruth(url: string): Promise<Truth> {
  const read = async (type: string, query: string) => {
    const rows = (await queryOnce(url, query)) as readonly { readonly id: string; readonly shown: Shown }[]
    return new Map(rows.map(({ id, shown }) => [globalId(type, id), { id: globalId(type, id), ...shown }]))
  }
  const tagsOf = new Map<string, string[]>()
  for (const { article, tag } of await queryOnce(
    url,
    'select article_id::text as article, tag_id::text as tag from article_tags',
  )) {
    const id = globalId('Article', String(article))
    tagsOf.set(id, [...(tagsOf.get(id) ?? []), globalId('Tag', String(tag))])
  }
  const articles = await read(
    'Article',
    `select a.id::text, json_build_object(
        'slug', slug, 'title', title, 'summary', summary, 'status', status, 'viewCount', views, 'version', version,
        'author', author_id::text, 'publishedAt', ${instant('published_at')}, 'createdAt', ${instant('created_at')},
        'updatedAt', ${instant('updated_at')}) as shown
       from articles a join article_stats on article_id = a.id`,
  )
  return {
    users: await read(
      'User',
      `select id::text, json_build_object('username', username, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
          'role', role, 'email', email, 'createdAt', ${instant('created_at')}) as shown from users`,
    ),
    tags: await read(
      'Tag',
      `select id::text, json_build_object('slug', slug, 'name', name, 'description', description) as shown from tags`,
    ),
    articles: new Map(
      [...articles].map(([id, { author, ...shown }]: [string, Shown]) => [
        id,
        {
          ...shown,
          author: { id: globalId('User', String(author)) },
          tags: (tagsOf.get(id) ?? []).sort().map((tag) => ({ id: tag })),
        },
      ]),
    ),
  }
}

/** Ids in the order in which SQL gives the rows, as global ids. */
export async function readOrder(
  url: string,
  type: string,
  query: string,
  values: readonly unknown[] = [],
): Promise<string[]> {
  const rows = await queryOnce(url, query, values)
  return rows.map(({ id }) => globalId(type, String(id)))
}

const globalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64url')
