import { expect, it } from '@jest/globals'
import { queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

/** What mutations refuse, and SQL may have written. */
const AVATARS = [
  'https://',
  'https:///x',
  'https://a\nb\t c',
  'https://ann:secret@x',
  'http://\u202e',
  `https://${'x'.repeat(1992)}`,
]
const NAMES = [' ', '\u200b', '\u3164', '\u2800', '\u0301', '\u{e0067}']

const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)

it.each(AVATARS)('answers a user whose avatarUrl is %j, and takes changes of the rest', async (url) => {
  await queryOnce(database.url, 'update users set avatar_url = $1 where id = 1', [url])
  await node.catchUp()
  const query = '{ users { nodes { username avatarUrl } } user(username: "ann") { avatarUrl } }'
  expect(await node.visitor.get(query)).toEqual({
    users: {
      nodes: [
        { username: 'ann', avatarUrl: url },
        { username: 'bob', avatarUrl: null },
      ],
    },
    user: { avatarUrl: url },
  })
  const update = `mutation ($bio: String) { updateUser(input: { id: "${ids.ann}", bio: $bio }) { user { avatarUrl bio } } }`
  const bio = `Of ${url.length}`
  expect(await node.admin.get(update, { bio })).toEqual({ updateUser: { user: { avatarUrl: url, bio } } })
})

it.each(NAMES)('answers an article, a tag and a user whose names are %j, in every order', async (name) => {
  await queryOnce(database.url, 'update articles set title = $1 where id = 1', [name])
  await queryOnce(database.url, 'update tags set name = $1 where id = 1', [name])
  await queryOnce(database.url, 'update users set display_name = $1 where id = 1', [name])
  await node.catchUp()
  const orders = ['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED']
  const lists = orders.map(
    (order) =>
      `${order}: articles(orderBy: ${order}) { totalCount nodes { slug title tags { name } author { displayName } } }`,
  )
  const data = await node.visitor.get<Record<string, { totalCount?: number; nodes: { slug?: string }[] }>>(
    `{ ${lists.join(' ')} tags { nodes { name articleCount } } users { nodes { displayName } } }`,
  )
  for (const order of orders) {
    expect(data[order]).toMatchObject({ totalCount: 2 })
    expect(data[order]?.nodes.find(({ slug }) => slug === 'published')).toEqual({
      slug: 'published',
      title: name,
      tags: [{ name }],
      author: { displayName: name },
    })
  }
  expect(data.tags?.nodes).toContainEqual({ name, articleCount: 2 })
  expect(data.users?.nodes).toContainEqual({ displayName: name })
})
