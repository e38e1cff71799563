import { createHash } from 'node:crypto'
import type { Draft, Oddity } from './odd-request.ts'

/** A header with each of some values, instead of the one that the request had. Capitals in braces stand for what `Marks` has. */
const header = (name: string, ...values: string[]): Oddity[] => values.map((value) => lines(`${name}: ${value}`))

/** Header lines that replace those of the first one's name. */
function lines(...written: string[]): Oddity {
  const name = String(written[0]).split(':')[0]?.trim().toLowerCase() ?? ''
  const told = written.map((line) => (line.length > 100 ? `${line.slice(0, 100)}…` : line))
  return {
    name: told.join(' ⏎ '),
    apply: ({ headers, marks }) => {
      const marked = written.map((line) =>
        line
          .replaceAll('{ANN}', marks.ann)
          .replaceAll('{BOB}', marks.bob)
          .replaceAll('{TOKEN}', marks.token)
          .replaceAll('{TAG}', marks.entityTag),
      )
      headers.set(name, marked.join('\r\n'))
    },
  }
}

const without = (name: string): Oddity => ({ name: `no ${name}`, apply: ({ headers }) => headers.delete(name) })

const path = (...paths: string[]): Oddity[] =>
  paths.map((written) => ({ name: `path ${written}`, apply: (draft) => (draft.path = written) }))

/** What follows the path of a GET. `Q` stands for its question, encoded. */
const search = (...searches: string[]): Oddity[] =>
  searches.map((written) => ({
    name: `search ${written.slice(0, 100)}`,
    apply: (draft) => {
      draft.search = written.replaceAll('Q', encodeURIComponent(draft.question))
      if (draft.method === 'POST' || draft.method === 'QUERY') draft.method = 'GET'
      if (draft.method === 'GET') draft.body = undefined
    },
  }))

/** The body of a POST. `Q` stands for its question, as JSON. */
const body = (...bodies: string[]): Oddity[] =>
  bodies.map((written) => bytes(written.slice(0, 100), (question) => written.replaceAll('Q', JSON.stringify(question))))

const bytes = (name: string, write: (question: string) => string | Buffer): Oddity => ({
  name: `body ${name}`,
  apply: (draft) => {
    draft.method = 'POST'
    draft.search = ''
    draft.body = write(draft.question)
    if (!draft.headers.has('content-type')) draft.headers.set('content-type', 'Content-Type: application/json')
  },
})

const request = (name: string, apply: (draft: Draft) => void): Oddity => ({ name, apply })

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const json = JSON.stringify
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

// biome-ignore format: a list that is read faster when it is short
export const ODDITIES: readonly Oddity[] = [
  ...path(
    '/graphql/', '/graphql//', '//graphql', '/./graphql', '/x/../graphql', '/GraphQL', '/GRAPHQL', '/graphql;x=1',
    '/%67raphql', '/graphq%6C', '/graphq%6c', '/graphql%2f', '/graphql%3f', '/graphql%00', '/graphql%',
    '/graphql%zz',
    '/%2567raphql', '/graphql.', '/gräphql', '\\graphql', 'graphql', '*', '', '/', '/graphqlx', '/graphql#x',
    '/#/graphql',
    'http://test/graphql', 'http://other.example/graphql', 'HTTP://TEST:80/graphql', 'https://test/graphql',
    '//test/graphql',
  ),

  ...search(
    '', '?', '?query', '?query=', '?query=%20', '?QUERY=Q', '?q=Q', '??query=Q', '?&&query=Q&&', '?query=Q&',
    '?query=Q#x',
    '?query=Q&query=Q', '?query=&query=Q', '?query=Q;x=1', '?x=1;query=Q', '?query[]=Q', '?%71uery=Q',
    '?query=+Q+', '?query=%0AQ',
    '?query=%EF%BB%BFQ', '?query=Q%00', '?query=Q%', '?query=Q%zz', '?query=Q%C3', '?query=Q&x=%',
    '?query=Q%23%C3%BC', '?query=Q#%',
    '?query=Q&variables', '?query=Q&variables=', '?query=Q&variables=null', '?query=Q&variables={}',
    '?query=Q&variables=%7B%7D',
    '?query=Q&variables=[]', '?query=Q&variables=1', '?query=Q&variables="x"', '?query=Q&variables={',
    '?variables={}&query=Q',
    '?query=Q&variables={"x":1}', '?query=Q&variables={"__proto__":1}',
    '?query=Q&variables={"constructor":{"prototype":1}}',
    '?query=Q&operationName', '?query=Q&operationName=', '?query=Q&operationName=null',
    '?query=Q&operationName=No', '?operationName=&query=Q',
    '?query=Q&extensions', '?query=Q&extensions=', '?query=Q&extensions=null', '?query=Q&extensions={}',
    '?query=Q&extensions=[]',
    '?query=Q&extensions=1', '?query=Q&extensions={"x":1}', '?query=Q&extensions={"persistedQuery":null}',
    '?query=Q&extensions={',
    '?query=Q&extensions={"persistedQuery":{"version":1,"sha256Hash":"x"}}', '?query=Q&id=x',
    '?query=Q&documentId=sha256:x',
    '?extensions={"persistedQuery":{"version":1,"sha256Hash":"00"}}', '?query=Q&x=1', '?x=1&query=Q',
    `?query=Q&x=${'y'.repeat(2000)}`,
    `?query=Q&x=${'y'.repeat(20_000)}`, '?query={__typename}', '?query=Q&__proto__=x', '?query=Q&query[x]=1',
    '?query=Q&variables={}&variables={}',
  ),
  request('question unescaped', (draft) => {
    if (draft.method !== 'POST') draft.search = `?query=${draft.question}`
  }),
  ...['?', '?query={__typename}', '?query=%', '?x', '#x', '?operationName=No&variables={'].map((written) =>
    request(`POST to /graphql${written}`, (draft) => {
      if (draft.method === 'POST') draft.search = written
      else draft.search += '&x'
    }),
  ),

  bytes('BOM', (question) => `\ufeff${json({ query: question })}`),
  bytes('two BOMs', (question) => `\ufeff\ufeff${json({ query: question })}`),
  bytes('UTF-16', (question) => Buffer.from(`\ufeff${json({ query: question })}`, 'utf16le')),
  bytes('not UTF-8', (question) => Buffer.from(json({ query: `${question} # ü` }), 'latin1')),
  bytes('a NUL after it', (question) => `${json({ query: question })}\0`),
  bytes(
    'all escaped',
    (question) =>
      `{"query":"${[...question].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
  ),
  bytes('padded with 100 kB', (question) => json({ query: question }).padEnd(100_000)),
  bytes('larger than 4 MB', (question) => json({ query: question }).padEnd(4 * 1024 * 1024 + 1)),
  bytes('as APQ', (question) =>
    json({ query: question, extensions: { persistedQuery: { version: 1, sha256Hash: hash(question) } } }),
  ),
  bytes('as APQ of another version', (question) =>
    json({ query: question, extensions: { persistedQuery: { version: 2, sha256Hash: hash(question) } } }),
  ),
  bytes('a byte order mark in the question', (question) => json({ query: `\ufeff${question}` })),
  ...body(
    '', ' ', '{}', '[]', 'null', '1', 'true', '"x"', 'Q', '{', '{"query":Q', '{"query":Q,}', '{"query":Q}}',
    '[{"query":Q}]', '[{"query":Q},{"query":Q}]',
    ' \n\t {"query":Q} \r\n', '{ "query" : Q }', "{'query':Q}", '{query:Q}', '{"query":Q}//', '\v{"query":Q}',
    '\u00a0{"query":Q}', 'query=Q',
    '{"query":Q,"query":Q}', '{"query":"{no}","query":Q}', '{"query":Q,"query":"{no}"}',
    '{"query":1,"query":Q}', '{"\\u0071uery":Q}', '{"QUERY":Q}',
    '{"query":null}', '{"query":""}', '{"query":1}', '{"query":[Q]}', '{"query":{"query":Q}}',
    '{"query":true}', '{"query":" "}', '{"query":"#"}',
    '{"__proto__":{"query":Q}}', '{"query":Q,"__proto__":{}}', '{"query":Q,"__proto__":1}',
    '{"query":Q,"\\u005f_proto__":1}', '{"query":Q,"constructor":1}',
    '{"query":Q,"constructor":{"prototype":{}}}', '{"query":Q,"variables":{"__proto__":{}}}',
    '{"query":Q,"toString":1}', '{"query":Q,"hasOwnProperty":1}',
    '{"query":Q,"variables":null}', '{"query":Q,"variables":{}}', '{"query":Q,"variables":[]}',
    '{"query":Q,"variables":""}', '{"query":Q,"variables":"{}"}',
    '{"query":Q,"variables":1}', '{"query":Q,"variables":false}', '{"query":Q,"variables":{"x":1}}',
    '{"query":Q,"variables":{"":null}}', '{"variables":{},"query":Q}',
    '{"query":Q,"operationName":null}', '{"query":Q,"operationName":""}', '{"query":Q,"operationName":"No"}',
    '{"query":Q,"operationName":1}', '{"query":Q,"operationName":[]}',
    '{"query":Q,"extensions":null}', '{"query":Q,"extensions":{}}', '{"query":Q,"extensions":[]}',
    '{"query":Q,"extensions":""}', '{"query":Q,"extensions":1}',
    '{"query":Q,"extensions":{"x":1}}', '{"query":Q,"extensions":{"persistedQuery":null}}',
    '{"query":Q,"extensions":{"persistedQuery":{}}}', '{"query":Q,"extensions":{"persistedQuery":1}}',
    '{"query":Q,"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}',
    '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}', '{"query":Q,"id":"x"}', '{"id":"x"}',
    '{"query":Q,"x":1}', '{"query":Q,"documentId":null}', '{"query":Q,"http":1}',
    `{"query":Q,"variables":${nested(50)}}`, `{"query":Q,"x":${nested(20_000)}}`,
    '{"query":Q,"variables":{"n":1e999}}', '{"query":Q,"variables":{"n":"\\ud800"}}',
    '{"query":Q,"x":"\u{1f98a}"}', '{"query":Q,"x":NaN}', '{"query":Q,"x":01}',
  ),

  without('content-type'),
  lines('Content-Type: application/json', 'Content-Type: text/plain'),
  lines('Content-Type: application/json', 'Content-Type: application/json'),
  ...header(
    'Content-Type',
    'application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8',
    'application/json ; charset=utf-8', 'application/json; charset="utf-8"',
    'application/json; charset=utf8', 'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1', 'application/json; charset=', 'application/json; charset',
    'application/json;',
    'application/json; x=y', 'application/json; charset=utf-8; x=y', 'application/json; x="',
    'application/json,', 'application/json, text/plain', 'application/json text/plain',
    'APPLICATION/JSON', 'Application/Json; Charset=UTF-8', 'text/json', 'application/graphql',
    'application/graphql+json', 'application/graphql-response+json', 'application/jsonx',
    'text/plain', 'text/plain; charset=utf-8', 'TEXT/PLAIN', 'text/html', 'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x', 'application/octet-stream',
    '*/*', 'json', '', ';', '/', 'application/', '/json', 'äpplication/json', 'application/json\u00a0',
    'application/problem+json', 'null', 'undefined',
  ),

  lines('Accept: application/xml', 'Accept: application/json'),
  ...header(
    'Accept',
    '*/*', '*', '', ',', 'application/*', 'application/json', 'application/json; charset=utf-8',
    'application/json; charset=utf-16', 'APPLICATION/JSON', 'application/graphql-response+json',
    'application/graphql-response+json, application/json',
    'application/json, application/graphql-response+json',
    'application/json;q=0.5, application/graphql-response+json;q=0.4',
    'application/json;q=0', '*/*;q=0', 'application/json;q=0, */*', 'application/graphql-response+json;q=0',
    'application/graphql-response+json;q=0, */*', 'application/*;q=0, */*',
    'text/html', 'text/html, */*;q=0.1', 'application/xml', 'text/*', 'application/json;q=2',
    'application/json;q=x', 'application/json;q=', 'json', '/', 'application/json;x="', '*/json',
    'text/event-stream', 'multipart/mixed', 'multipart/mixed, application/json', 'application/json;q=0.0001',
    'ä', `${'a/b,'.repeat(200)}*/*`,
  ),

  ...header(
    'Accept-Encoding',
    'gzip', 'br', 'gzip, br', 'br, gzip', 'br;q=0', 'gzip;q=0', '*', '*;q=0', 'identity', 'identity;q=0',
    'identity;q=0, *;q=0', 'gzip;q=0, br;q=0, identity;q=0', 'GZIP', 'Br', 'x-gzip',
    'zstd', 'deflate', 'zstd, deflate, gzip', '', ',', 'gzip;q=0.5, br;q=0.1', 'identity;q=1, *;q=0.5',
    'identity;q=0.1, gzip', 'gzip;q=', 'br;q=1.001', 'none', 'gzip br', '*, br;q=0', 'compress;q=1',
  ),

  lines('Authorization: Bearer {ANN}', 'Authorization: Bearer {BOB}'),
  lines('Authorization: Bearer x', 'Authorization: Bearer {ANN}'),
  lines('authorization: Bearer {BOB}'),
  ...header(
    'Authorization',
    'Bearer {ANN}', 'Bearer {BOB}', 'bearer {ANN}', 'BEARER   {ANN}', 'Bearer\t{ANN}', 'Bearer {ANN} ',
    '{ANN}', 'Basic {ANN}', 'Bearer {ANN}x', 'Bearer {ANN} {BOB}', 'Bearer {ANN}, Bearer {BOB}',
    'Bearer', 'Bearer ', '', 'x', 'Bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'Bearer "{ANN}"',
    'Bearer: {ANN}', 'Basic YTpi', 'Bearer =', 'Bearer ä',
  ),

  lines('If-None-Match: "x"', 'If-None-Match: {TAG}'),
  ...header(
    'If-None-Match',
    '*', ' * ', '"*"', '{TAG}', 'W/{TAG}', 'w/{TAG}', '"x"', '"x", {TAG}', '{TAG}, "x"', '"x",{TAG},"y"',
    ', {TAG}', '{TAG}{TAG}', 'x{TAG}', '""', '', ',', 'W/', '"', 'W/"x"', '"x", *',
  ),
  ...header('If-Match', '*', '"x"', '{TAG}'),
  ...header('If-Modified-Since', 'Thu, 01 Jan 2099 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 'x'),
  ...header('If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'),
  ...header('Range', 'bytes=0-3', 'bytes=9999999-', 'x'),

  lines('Stet-As-Of: {TOKEN}', 'Stet-As-Of: {TOKEN}'),
  ...header(
    'Stet-As-Of',
    '{TOKEN}', ' {TOKEN} ', '{TOKEN}, {TOKEN}', '"{TOKEN}"', '{TOKEN}.1', '{TOKEN}x', '0{TOKEN}', '9{TOKEN}',
    '1{TOKEN}', '-{TOKEN}', '+{TOKEN}', '0', '1', '', 'x', '.', '1.', '.x', '1.abcdef', '0.abcdef',
    '1e3.abcdef', '1.5.abcdef', '99999999999999999999.abcdef', '1.ABCDEF', '0x1.abcdef', 'NaN.abcdef', 'ä',
  ),

  ...header(
    'Cache-Control',
    'no-cache', 'max-age=0', 'NO-CACHE', 'max-stale', 'min-fresh=9', 'no-cache, no-transform', 'x-no-store',
    'no-transform', 'x', '', ',', 'xno-cache', 'no-cache=x', 'private',
  ),
  ...header('Pragma', 'no-cache'),
  ...header('Stet-Explain', '', '0', 'x'),

  lines('X-Request-Id: a', 'X-Request-Id: b'),
  ...header(
    'X-Request-Id',
    'abc', 'a.b:c=d+e/f-g_h', 'a b', '', '"a"', '<script>', 'ä', 'a,b', '__proto__', 'a;b', 'a\tb',
    '%0d%0aX: y', 'x'.repeat(200), 'x'.repeat(201), 'undefined', '{ANN}',
  ),

  without('host'),
  lines('Host: test', 'Host: test'),
  lines('Host: test', 'Host: other'),
  ...header(
    'Host',
    '', ' ', 'other.example', 'TEST', 'test:80', 'test:99999', 'test:x', 'a b', '[::1]', '[', 'a/b', 'a@b',
    'a?b', 'a#b', '%67', 'ä', '*', 'a..b', '1.2.3.4.5', '-', 'xn--', 'a,b', '__proto__',
  ),

  ...header('Cookie', 'a=b', '', '=', 'a=b; a=c'),
  ...header('Origin', 'https://other.example', 'null', ''),
  ...header('Sec-Fetch-Site', 'cross-site'),
  ...header('Forwarded', 'for=1.2.3.4;proto=https', 'x', 'for="'),
  ...header('X-Forwarded-For', '1.2.3.4', 'x', '1.2.3.4, 5.6.7.8', ''),
  ...header('X-Forwarded-Proto', 'https', 'x'),
  ...header('X-Forwarded-Host', 'other.example'),
  ...header('X-HTTP-Method-Override', 'DELETE', 'GET'),
  ...header('Apollo-Require-Preflight', 'true'),
  ...header('X-Apollo-Operation-Name', 'x'),
  ...header('Accept-Language', 'de'),
  ...header('Accept-Version', '2.0.0', '1.x'),
  ...header('Accept-Charset', 'utf-16'),
  ...header('Content-Language', 'de'),
  ...header('Content-Location', '/x'),
  ...header('Expect', '100-continue', 'x', ''),
  ...header('TE', 'trailers', 'gzip'),
  ...header('Trailer', 'X'),
  ...header('Via', '1.0 x'),
  ...header('Max-Forwards', '0'),
  ...header('Keep-Alive', 'timeout=1', 'x'),
  ...header('Proxy-Connection', 'close'),
  ...header('Traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  ...header('__proto__', 'x'),
  ...header('constructor', 'x'),

  ...header(
    'Connection',
    'close',
    'keep-alive',
    'Close',
    'KEEP-ALIVE',
    'close, keep-alive',
    'x',
    '',
    'close, x',
    'Upgrade',
  ),
  lines(
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ),
  lines('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
  ...header('Upgrade', 'h2c', 'websocket'),
  request('HTTP/1.0', (draft) => (draft.version = 'HTTP/1.0')),
  request('HTTP/1.0, kept alive', (draft) => {
    draft.version = 'HTTP/1.0'
    draft.headers.set('connection', 'Connection: keep-alive')
  }),
  request('HTTP/1.0 without a host', (draft) => {
    draft.version = 'HTTP/1.0'
    draft.headers.delete('host')
  }),
  ...['HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'http/1.1', 'HTTP/1', ''].map((version) =>
    request(`version ${version}`, (draft) => (draft.version = version)),
  ),
  ...['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY', 'TRACE', 'PROPFIND', 'get', 'Post', 'X', 'CONNECT'].map((method) =>
    request(`method ${method}`, (draft) => (draft.method = method)),
  ),
  request('pipelined', (draft) => (draft.isPipelined = true)),
  request('chunked', (draft) => (draft.isChunked = draft.body !== undefined)),
  request('a body of JSON, whatever the method', (draft) => {
    draft.body ??= '{"query":"{no}"}'
    draft.headers.set('content-type', 'Content-Type: application/json')
  }),
  request('a body without a type, whatever the method', (draft) => {
    draft.body ??= '{"query":"{no}"}'
    draft.headers.delete('content-type')
  }),
  request('a length of 0', (draft) => {
    draft.body = ''
    draft.headers.set('content-length', 'Content-Length: 0')
  }),
  ...['-1', 'x', '', '1, 1', '0x1'].map((length) =>
    request(`a length of ${length}`, (draft) => draft.headers.set('content-length', `Content-Length: ${length}`)),
  ),
  request('its length twice, with zeros before it', (draft) => {
    draft.headers.set('content-length', 'Content-Length: 00{LENGTH}\r\nContent-Length: {LENGTH}')
  }),
  request('its length with zeros before it', (draft) => {
    draft.headers.set('content-length', 'Content-Length: 00{LENGTH}')
  }),
  request('both a length and chunks', (draft) => {
    draft.isChunked = draft.body !== undefined
    draft.headers.set(
      'content-length',
      `Content-Length: ${Buffer.byteLength(draft.body ?? '')}\r\nTransfer-Encoding: chunked`,
    )
  }),
  ...header('Transfer-Encoding', 'gzip', 'identity', 'x'),
  ...header('Content-Encoding', 'gzip', 'identity', 'x'),
  lines(`X-Long: ${'x'.repeat(5000)}`),
  lines(`X-Long: ${'x'.repeat(20_000)}`),
  lines(...Array.from({ length: 150 }, (_, n) => `X-${n}: y`)),
  lines('X-Folded: a', ' b'),
  lines('X Space: a'),
  lines('X-Colon : a'),
  lines('X-Nothing'),
  lines('X-NUL: a\0b'),
]
