import { describe, expect, it } from '@jest/globals'
import {
  eventually,
  HTTP_CACHES,
  type HttpCacheName,
  isInstalled,
  queryOnce,
  startHttpCache,
  startTestNode,
  testToken,
} from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, BOB, ids } from './add-content.ts'

/** Real caches in front of a node, configured as `deploy/` has it. */
const caches = (Object.keys(HTTP_CACHES) as HttpCacheName[]).filter(isInstalled)
for (const missing of (Object.keys(HTTP_CACHES) as HttpCacheName[]).filter((cache) => !isInstalled(cache))) {
  it.skip(`stands behind ${missing}: ${HTTP_CACHES[missing]} is not installed here (apt-get install ${missing.toLowerCase()})`, () => {})
}

const database = await useDatabase()
const ORIGINS = ['https://a.example', 'https://b.example'] as const
const CDN_MAX_AGE = 2
/** Fresh answers live for so long that only `CDN_MAX_AGE` can end one in time. */
const environment = { CDN_MAX_AGE: String(CDN_MAX_AGE), CORS_ORIGINS: ORIGINS.join(','), CACHE_TTL_JITTER: '0' }
const node = await useNode({ database, environment })
await addContent(database.url)
await node.catchUp()
const bearers = { ann: await testToken('author', ANN), bob: await testToken('author', BOB) }

const fronts = new Map<HttpCacheName, string>()
for (const cache of caches) {
  const { url } = use(await startHttpCache(cache, node.url), (it) => it.stop())
  fronts.set(cache, url)
}

const pathOf = (query: string) => `/graphql?query=${encodeURIComponent(query)}`

let asked = 0
interface Headed {
  readonly headers: Headers
}

/** Whether the node wasn't asked for an answer. nginx says so; otherwise it has the id of the request for which the node was asked. */
const isKept = ({ headers }: Headed, first: Headed) =>
  (headers.get('x-proxy-cache') ?? 'HIT') === 'HIT' && headers.get('x-request-id') === first.headers.get('x-request-id')

/** Nobody asked for it before. */
const anew = (selection: string) => `{ a${++asked}: __typename ${selection} }`

const describeEach = caches.length > 0 ? describe.each(caches) : describe.skip.each(['no cache'])

describeEach('behind %s', (name) => {
  const front = fronts.get(name as HttpCacheName)

  const get = async (query: string, init: RequestInit = {}, at = front) => {
    const response = await fetch(at + pathOf(query), init)
    const { status, headers } = response
    const body = (await response.json()) as { data: Record<string, { title: string }> }
    return { status, headers, body }
  }

  const post = async (query: string, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
    return fetch(`${front}/graphql`, { ...init, body: JSON.stringify({ query }) })
  }

  const rename = async (title: string) => {
    await queryOnce(database.url, `update articles set title = '${title}' where slug = 'published'`)
    await node.catchUp()
  }

  it('a public answer is given again without asking the node', async () => {
    const query = anew('tags { totalCount }')
    const first = await get(query)
    const second = await get(query)
    expect([isKept(second, first), second.body]).toEqual([true, first.body])
  })

  it('a write shows once CDN_MAX_AGE is over, and not after the life of the answer', async () => {
    const query = anew('article(slug: "published") { title }')
    await rename(`Before, ${name}`)
    await get(query)
    // However long the node has kept it: its age there takes nothing of the time here.
    await rename(`After, ${name}`)
    const began = performance.now()
    await eventually(async () => (await get(query)).body.data.article?.title === `After, ${name}`)
    // The article lives for 300 seconds.
    expect(performance.now() - began).toBeLessThan(30_000)
  })

  it('an answer that the node kept for long is kept for as long as one made now', async () => {
    const query = anew('users { totalCount }')
    await get(query, {}, node.url)
    // Older than CDN_MAX_AGE. It stands all the same.
    await eventually(async () => Number((await get(query, {}, node.url)).headers.get('age')) > CDN_MAX_AGE)
    const first = await get(query)
    expect(isKept(await get(query), first)).toBe(true)
  })

  it('what is asked for again is asked for by its entity tag, and not sent again', async () => {
    const query = anew('article(slug: "bobs-published") { title }')
    const first = await get(query)
    const again = await eventually(async () => {
      const next = await get(query)
      return !isKept(next, first) && next
    })
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    if (name === 'nginx') expect(again.headers.get('x-proxy-cache')).toBe('REVALIDATED')
    // A 304 began another life.
    expect(isKept(await get(query), again)).toBe(true)
  })

  it('a client that holds it is told so by the cache', async () => {
    const query = anew('tags { nodes { slug } }')
    const etag = String((await get(query)).headers.get('etag'))
    const response = await fetch(front + pathOf(query), { headers: { 'if-none-match': etag } })
    expect([response.status, await response.text()]).toEqual([304, ''])
  })

  it('what is for one viewer is kept for none', async () => {
    const query = anew('viewer { email }')
    const email = async (bearer?: string) =>
      (await get(query, bearer === undefined ? {} : { headers: { authorization: `Bearer ${bearer}` } })).body.data
        .viewer
    for (let n = 0; n < 3; n++) {
      expect(await email(bearers.ann)).toEqual({ email: 'ann@example.com' })
      expect(await email(bearers.bob)).toEqual({ email: 'bob@example.com' })
      expect(await email()).toBeNull()
    }
  })

  it('what is public is no other for who signs in, and drafts are nobody else’s', async () => {
    const query = anew(`article(id: "${ids.annsDraft}") { title }`)
    const ask = async (bearer?: string) =>
      (await get(query, bearer === undefined ? {} : { headers: { authorization: `Bearer ${bearer}` } })).body.data
        .article
    for (let n = 0; n < 2; n++) {
      expect(await ask(bearers.ann)).toEqual({ title: 'Draft of Ann' })
      expect(await ask(bearers.bob)).toBeNull()
      expect(await ask()).toBeNull()
    }
  })

  it('a client sees its own write at once, by its token', async () => {
    const query = anew('article(slug: "published") { title }')
    await get(query)
    const title = `Written through ${name}`
    const written = await post(
      `mutation { updateArticle(input: { id: "${ids.published}", title: "${title}" }) { article { title } } }`,
      { authorization: `Bearer ${bearers.ann}` },
    )
    expect(await written.json()).toEqual({ data: { updateArticle: { article: { title } } } })
    const token = String(written.headers.get('stet-as-of'))
    expect((await get(query, { headers: { 'stet-as-of': token } })).body.data.article).toEqual({ title })
    // A token of another history is another request, too.
    const other = { headers: { 'stet-as-of': `1.${'a'.repeat(12)}` } }
    expect((await get(query, other)).body.data.article).toEqual({ title })
  })

  it('what is refused, faulty or stale is not kept', async () => {
    for (const query of [anew('nonsense'), anew('{'), `mutation M${++asked} { __typename }`]) {
      const first = await get(query)
      expect(isKept(await get(query), first)).toBe(false)
    }
    const query = anew('tags { totalCount }')
    const bad = { headers: { 'stet-as-of': 'nonsense' } }
    expect([(await get(query, bad)).status, (await get(query)).status]).toEqual([400, 200])
  })

  it('an answer that the node says is stale is asked for again, and refreshed', async () => {
    const query = anew('tags { nodes { name } }')
    await get(query, {}, node.url)
    await node.admin.send('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
    const first = await get(query)
    expect([first.headers.get('x-cache'), first.headers.get('cache-control')]).toEqual(['STALE', 'public, max-age=0'])
    const fresh = await eventually(async () => {
      const next = await get(query)
      return next.headers.get('x-cache') === 'HIT' && next
    })
    expect(isKept(fresh, first)).toBe(false)
    expect(isKept(await get(query), fresh)).toBe(true)
  })

  it('each origin, media type and coding has an answer of its own', async () => {
    const query = anew('article(slug: "published") { title }')
    for (let n = 0; n < 2; n++) {
      for (const origin of [...ORIGINS, undefined, 'https://stranger.example']) {
        const { headers } = await get(query, origin === undefined ? {} : { headers: { origin } })
        const allowed = (ORIGINS as readonly (string | undefined)[]).includes(origin) ? origin : null
        expect([origin, headers.get('access-control-allow-origin')]).toEqual([origin, allowed])
      }
      for (const accept of ['application/json', 'application/graphql-response+json']) {
        const { headers } = await get(query, { headers: { accept } })
        expect(headers.get('content-type')).toBe(`${accept}; charset=utf-8`)
      }
      const { status } = await fetch(front + pathOf(query), { headers: { accept: 'image/png' } })
      expect(status).toBe(406)
    }
  })

  it('a QUERY is never given the answer to another body', async () => {
    const ask = async (query: string) => {
      const init = { method: 'QUERY', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) }
      return (await fetch(`${front}/graphql`, init)).json()
    }
    for (let n = 0; n < 3; n++) {
      expect(await ask('{ article(slug: "bobs-published") { title } }')).toEqual({
        data: { article: { title: 'Published by Bob' } },
      })
      expect(await ask('{ tags { totalCount } }')).toEqual({ data: { tags: { totalCount: expect.any(Number) } } })
    }
  })
})

/** nginx takes `max-age` for what is left, and doesn't look at `Age`. */
;(isInstalled('nginx') ? it : it.skip)('nothing lives twice as long behind nginx, which ignores Age', async () => {
  const LIFE = 6
  const brief = await startTestNode({
    databaseUrl: database.url,
    environment: {
      CACHE_TTL_TAG: String(LIFE),
      CACHE_TTL_JITTER: '0',
      CACHE_EARLY_REFRESH: '0',
      CACHE_REFRESH_AHEAD_CONCURRENCY: '0',
    },
  })
  const nginx = await startHttpCache('nginx', brief.url)
  try {
    const path = pathOf('{ tag(slug: "cats") { name } }')
    const ask = async (url: string) => (await fetch(url + path)).headers
    await ask(brief.url)
    await eventually(async () => Number((await ask(brief.url)).get('age')) >= LIFE - 2)
    const first = await ask(nginx.url)
    expect([first.get('cache-control'), first.get('x-accel-expires')]).toEqual([`public, max-age=${LIFE}`, null])
    const began = performance.now()
    await eventually(async () => (await ask(nginx.url)).get('x-proxy-cache') !== 'HIT')
    expect((performance.now() - began) / 1000).toBeLessThan(LIFE - 2)
  } finally {
    await nginx.stop()
    await brief.close()
  }
})

;(isInstalled('Varnish') ? it : it.skip)(
  'answers go on behind Varnish while no node is well, for CACHE_GRACE_IF_ERROR',
  async () => {
    const failing = await startTestNode({
      databaseUrl: database.url,
      environment: { ...environment, CDN_MAX_AGE: '1' },
    })
    const varnish = await startHttpCache('Varnish', failing.url)
    try {
      const path = pathOf('{ users { totalCount } }')
      const kept = await (await fetch(varnish.url + path)).json()
      const unkept = pathOf(anew('tags { totalCount }'))
      await failing.close()
      await eventually(async () => (await fetch(varnish.url + unkept)).status === 503)
      // Long after its second.
      const { headers } = await eventually(async () => {
        const answer = await fetch(varnish.url + path)
        return Number(answer.headers.get('age')) > 3 && answer
      })
      expect(headers.get('cdn-cache-control')).toMatch(/, stale-while-revalidate=1, stale-if-error=3600$/)
      expect(await (await fetch(varnish.url + path)).json()).toEqual(kept)
    } finally {
      await varnish.stop()
      await failing.close()
    }
  },
)

;(isInstalled('Varnish') ? it : it.skip)(
  'a stale answer is given while it is refreshed, and for no longer',
  async () => {
    const varnish = await startHttpCache('Varnish', node.url, { graceSeconds: CDN_MAX_AGE })
    try {
      const path = pathOf(anew('article(slug: "bobs-published") { title }'))
      const ask = async () => {
        const { headers } = await fetch(varnish.url + path)
        const [, swr] = /stale-while-revalidate=(\d+)/.exec(String(headers.get('cdn-cache-control'))) ?? []
        return { age: Number(headers.get('age')), id: headers.get('x-request-id'), swr: Number(swr) }
      }
      const first = await ask()
      expect(first.swr).toBe(CDN_MAX_AGE)
      let oldest = 0
      await eventually(async () => {
        const { age, id } = await ask()
        if (id === first.id) oldest = age
        return id !== first.id
      })
      expect(oldest).toBeGreaterThanOrEqual(CDN_MAX_AGE)
      expect(oldest).toBeLessThanOrEqual(2 * CDN_MAX_AGE)
    } finally {
      await varnish.stop()
    }
  },
)
