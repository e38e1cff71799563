import { expect, it } from '@jest/globals'
import { decodeEntry, type Entry } from '../../src/cache/index.ts'
import { encodeEntry } from '../../src/cache/remote/envelope.ts'
import { exchange } from '../harness/index.ts'
import { useDatabase, useNode, useRedis, useRedisClient } from '../harness/use.ts'
import { addContent } from './add-content.ts'

/** What an entry in Redis says of its tags goes into a head of HTTP, which must stay short and well-formed. */
const database = await useDatabase()
const redis = useRedis()
const client = useRedisClient()
const filler = await useNode({ database, redis })
/** Its memory holds nothing of what is forged. */
const reader = await useNode({ database, redis })
await addContent(database.url)
await filler.catchUp()
await reader.catchUp()

const FORGED: [what: string, isTold: boolean, tags: readonly string[]][] = [
  ['tags without a colon', false, Array.from({ length: 5000 }, (_, n) => `tag-${n}`)],
  ['a megabyte in one tag', false, ['x'.repeat(1024 * 1024)]],
  ['thousands of tables', false, Array.from({ length: 9000 }, (_, n) => `table${n}:1`)],
  ['thousands of tags of one table', true, Array.from({ length: 9000 }, (_, n) => `tags:${n}`)],
  ['line breaks', true, ['tags:1\r\nset-cookie: stolen=1', 'tags:2\nx: y', 'a\rb', 'c\0d', 'e f,g', '\u2028', 'ü']],
]

it.each(FORGED)('keeps the head short and well-formed: %s', async (_what, isTold, tags) => {
  const n = FORGED.findIndex((forged) => forged[2] === tags)
  const query = `{ a${n}: article(slug: "published") { title } }`
  const target = `/graphql?${new URLSearchParams({ query })}`
  await fetch(filler.url + target)
  await filler.flush()
  await changeEntries((entry) => ({ ...entry, tags: [...entry.tags, ...tags] }))
  const get = { bytes: `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n` }
  const replies = await exchange(reader.url, [get, get])
  for (const { start, headers, body } of replies) {
    expect([start, JSON.parse(body).errors]).toEqual(['HTTP/1.1 200 OK', undefined])
    const head = [...headers].map(([name, value]) => `${name}: ${value}`).join('\r\n')
    expect(head.length).toBeLessThan(8 * 1024)
    expect(head).not.toMatch(/[^\r\n\x20-\x7e]/)
    expect([...headers.keys()].filter((name) => name === 'set-cookie' || name === 'x')).toEqual([])
    expect([headers.has('surrogate-key'), headers.has('cache-tag')]).toEqual([isTold, isTold])
    // Without its tags no CDN could purge it.
    expect(headers.get('cache-control')).toMatch(isTold ? /^public/ : /^private, no-store$/)
  }
  expect(replies).toHaveLength(2)
  await client.del(await client.keys(`${redis.redisPrefix}*`))
  await reader.admin.get('mutation { invalidateCache(tags: ["articles"]) { position } }')
  await filler.catchUp()
})

/** Changes what Redis holds of articles, and drops the answers made of them. */
async function changeEntries(change: (entry: Entry) => Entry): Promise<void> {
  for (const key of await client.keys(`${redis.redisPrefix}*`)) {
    if (/\bresponse\b/.test(key)) await client.del(key)
    const bytes = (await client.type(key)) === 'string' ? await client.getBuffer(key) : null
    const entry = bytes && decodeEntry(key, bytes)
    if (entry) await client.set(key, encodeEntry(change(entry)), 'KEEPTTL')
  }
}
