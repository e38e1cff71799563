import { readFileSync } from 'node:fs'

/** An answer like Stet's, for contestants that do nothing but send. */
export function preparedAnswer(): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const body = readFileSync(process.env.BENCH_ANSWER ?? '')
  const tags = tagsLikeStets(body.toString().split('"title"').length - 1)
  const headers = { ...headersLikeStets, 'surrogate-key': tags.join(' '), 'cache-tag': tags.join(',') }
  return { body, headers: { ...headers, 'content-length': String(body.length) } }
}

/** Without the length, and without what Node adds by itself. The bench says so if Stet sends others by now. */
export const headersLikeStets = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'public, max-age=3412',
  age: '12',
  etag: '"yZwxCJtAv28ABcvL4v82Vl"',
  vary: 'Accept, Accept-Encoding, Authorization, Stet-As-Of, Stet-Explain',
  'cache-status': 'stet; hit; ttl=3400; detail=memory',
  'cache-tag': '',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'stet-as-of': '10431.0123456789ab',
  'surrogate-key': '',
  'x-accel-expires': '3400',
  'x-cache': 'HIT',
  'x-content-type-options': 'nosniff',
  'x-request-id': '7d9f4f8e-2b1c-4a55-9d0e-6f3a1c2b4d5e-9ix',
}

/** Tags as Stet has them: for each article its row, its author, and three tags with the links to them. */
function tagsLikeStets(articles: number): string[] {
  const each = Array.from({ length: articles }, (_, index) => {
    const id = 9000 + index
    const tags = [1, 2, 3].map((tag) => `tags:${100 + ((index * tag) % 97)}`)
    return [`articles:${id}`, `article_tags:article_id=${id}`, `users:${100 + index}`, ...tags]
  })
  return [...new Set(['article_tags', 'articles', 'articles:status=PUBLISHED', 'tags', 'users', ...each.flat()])]
}
