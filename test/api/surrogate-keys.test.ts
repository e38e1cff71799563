import { expect, it } from '@jest/globals'
import { queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent } from './add-content.ts'
import { rawClient } from './raw-client.ts'

/** `Surrogate-Key` and `Cache-Tag`, by which a CDN purges. */
const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await queryOnce(
  database.url,
  `insert into tags (slug, name) select 'tag-' || n, 'Tag ' || n from generate_series(1, 100) n;
   insert into users (username, display_name, email)
     select 'user' || n, 'User ' || n, n || '@example.com' from generate_series(1, 100) n;
   insert into articles (slug, title, body, author_id, status, published_at)
     select 'many-' || n, 'Many ' || n, '', 2 + n, 'PUBLISHED', '2026-02-01' from generate_series(1, 100) n;
   insert into article_tags select a.id, 2 + (a.id + n) % 100 from articles a, generate_series(1, 3) n where a.slug like 'many-%'`,
)
await node.catchUp()
const { hit } = rawClient(node.url)

it('keeps the tags of a large answer below what proxies take, and each of them a word', async () => {
  const query = `{ articles(first: 100, filter: { search: "many" }) {
    nodes { id title viewCount author { displayName } tags { name } } } }`
  const { headers } = await hit(query)
  const keys = String(headers['surrogate-key'])
  expect(keys.length + String(headers['cache-tag']).length).toBeLessThan(8000)
  expect(String(headers['cache-tag']).split(',')).toEqual(keys.split(' '))
  const words = new Set(keys.split(' '))
  for (const table of ['articles', 'users', 'tags', 'article_tags', 'article_stats']) {
    // Its rows by name, or all of it.
    const named = [...words].filter((word) => word.startsWith(`${table}:`))
    expect(named.length).toBeGreaterThan(0)
    if (named.length > 1) expect(words).not.toContain(`${table}:any`)
    expect(words).toContain(table)
  }
  expect(words).toContain('articles:any')
})

it('encodes in tags what may not stand in a header', async () => {
  const query = 'query ($slug: String) { article(slug: $slug) { id } }'
  const slug = 'a b, c\r\nx-evil: 1 "ü" 日本 %20'
  const { headers, bytes } = await hit(query, { variables: { slug } })
  expect(JSON.parse(bytes.toString())).toEqual({ data: { article: null } })
  expect(headers['x-evil']).toBeUndefined()
  const words = String(headers['surrogate-key']).split(' ')
  expect(words.map(decodeURIComponent)).toContain(`articles:slug=${slug}`)
  expect(String(headers['cache-tag']).split(',')).toEqual(words)
})

it.each(['{ __typename }', '{ article(slug: "published") { title } }', '{ tags { totalCount } }'])(
  'names the tag that drops every answer: %s',
  async (query) => {
    for (const method of ['GET', 'POST', 'QUERY']) {
      const { headers } = await hit(query, { method })
      expect(String(headers['surrogate-key']).split(' ')).toContain('responses')
      expect(String(headers['cache-tag']).split(',')).toContain('responses')
    }
  },
)
