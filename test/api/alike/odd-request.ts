import type { RawRequest } from '../../harness/index.ts'

export const METHODS = ['GET', 'POST', 'HEAD', 'QUERY'] as const
type Method = (typeof METHODS)[number]

/** A request for an answer of its own, written as clients rarely write it. */
export interface OddRequest {
  /** Distinguishes its question from those of all others. */
  readonly n: number
  readonly method: Method
  readonly oddities: readonly Oddity[]
}

/** One way in which a request is odd. */
export interface Oddity {
  readonly name: string
  readonly apply: (draft: Draft) => void
}

/** What oddities put into a request. */
export interface Marks {
  /** Bearer tokens. */
  readonly ann: string
  readonly bob: string
  /** A `Stet-As-Of` that a node has reached. */
  readonly token: string
  /** Of the answer to the plain request. */
  readonly entityTag: string
}

/** A request that oddities change before it is written. */
export interface Draft {
  readonly marks: Marks
  readonly question: string
  method: string
  path: string
  /** With its question mark. */
  search: string
  version: string
  /** Lines, by the lower-case name of the header. */
  readonly headers: Map<string, string>
  /** Undefined: none is sent, nor its length. */
  body: string | Buffer | undefined
  isChunked: boolean
  /** Sent on the same connection, before and after it, without waiting for answers. */
  isPipelined: boolean
}

export function plainRequest({ n, method }: OddRequest, marks: Marks, bearer?: string): Written {
  const draft = draftOf(n, method, marks)
  if (bearer !== undefined) draft.headers.set('authorization', `Authorization: Bearer ${bearer}`)
  return writeDraft(draft)
}

export function oddRequest({ n, method, oddities }: OddRequest, marks: Marks): Written & Pick<Draft, 'isPipelined'> {
  const draft = draftOf(n, method, marks)
  for (const { apply } of oddities) apply(draft)
  return { ...writeDraft(draft), isPipelined: draft.isPipelined }
}

interface Written extends RawRequest {
  readonly bytes: Buffer
}

function draftOf(n: number, method: Method, marks: Marks): Draft {
  // Every fourth answer is long enough to be compressed.
  const question = n % 4 === 0 ? `{q${n}:articles{nodes{body}}viewer{email}}` : `{q${n}:tags{nodes{name}}viewer{email}}`
  const hasBody = method === 'POST' || method === 'QUERY'
  return {
    marks,
    question,
    method,
    path: '/graphql',
    search: hasBody ? '' : `?query=${encodeURIComponent(question)}`,
    version: 'HTTP/1.1',
    headers: new Map([['host', 'Host: test'], ...(hasBody ? [JSON_TYPE] : [])]),
    body: hasBody ? JSON.stringify({ query: question }) : undefined,
    isChunked: false,
    isPipelined: false,
  }
}

const JSON_TYPE = ['content-type', 'Content-Type: application/json'] as const

/** The bytes of a request. Its length, if nothing says it yet, is that of its body. */
export function writeDraft({ method, path, search, version, headers, body, isChunked }: Draft): Written {
  const content = Buffer.from(body ?? '')
  // A client would wait for the answer to a body that is shorter than its head says.
  const lines = [...headers.values()].map((line) => line.replaceAll('{LENGTH}', String(content.length)))
  if (body !== undefined && !headers.has('content-length') && !headers.has('transfer-encoding')) {
    lines.push(isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${content.length}`)
  }
  const head = `${[`${method} ${path}${search} ${version}`, ...lines].join('\r\n')}\r\n\r\n`
  return {
    bytes: Buffer.concat([Buffer.from(head), isChunked ? inChunks(content) : content]),
    isHead: method === 'HEAD',
  }
}

/** Two of them, the second with an extension. */
function inChunks(content: Buffer): Buffer {
  const first = content.subarray(0, 7)
  const second = content.subarray(7)
  const written = [
    `${first.length.toString(16)}\r\n`,
    first,
    `\r\n${second.length.toString(16).toUpperCase()};x="y"\r\n`,
  ]
  return Buffer.concat([...written, second, '\r\n0\r\n\r\n'].map((part) => Buffer.from(part)))
}
