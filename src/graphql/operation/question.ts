import { hash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { HeaderMap, type HTTPGraphQLRequest } from '@apollo/server'
import type { Operation, Operations } from './operations.ts'

/** What a request asks for, however it was written. */
export interface Question {
  readonly operation: Operation
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
}

/** Undefined where it can't be told. Whoever runs it will say what is wrong. */
export function readQuestion(http: HTTPGraphQLRequest, operations: Operations): Question | undefined {
  const { query, operationName, variables, extensions } = readAsked(http)
  if (typeof query !== 'string' || !isOptional(operationName, 'string')) return undefined
  if (!isOptional(variables, 'object') || !isOptional(extensions, 'object')) return undefined
  const name = (operationName as string | null) ?? undefined
  const operation = operations.find(query, name)
  if (!operation || Array.isArray(variables) || Array.isArray(extensions)) return undefined
  return { operation, operationName: name, variables: (variables as Question['variables'] | null) ?? undefined }
}

/** The same for whatever means the same: document, operation and variables. */
export const meaningOf = ({ operation, operationName, variables = {} }: Question): string =>
  hash('sha256', JSON.stringify([operation.text, operationName ?? null, sorted(variables)]), 'base64url')

/** Names what was sent, byte for byte. What is short names itself: to hash it takes longer than to find it. */
export function spellingOf({ url = '' }: IncomingMessage, body: Buffer | undefined): string {
  if (body ? body.length <= MAX_NAME_BYTES : url.length <= MAX_NAME_BYTES) return body ? body.toString('latin1') : url
  // Neither a path nor JSON begins like that.
  return `#${hash('sha256', body ?? url, 'base64url')}`
}

const MAX_NAME_BYTES = 512

/** What a request says, whatever that is. */
export const readAsked = (http: HTTPGraphQLRequest): Asked =>
  http.method === 'POST' ? bodyOf(http) : parametersOf(http)

/** As Apollo takes a request. */
export function toApollo({ method = '', url = '', headers, body }: Sent): HTTPGraphQLRequest {
  const map = new HeaderMap()
  for (const [name, value] of Object.entries(headers)) if (value) map.set(name, String(value))
  const question = url.indexOf('?')
  return {
    method: method === 'HEAD' ? 'GET' : method,
    headers: map,
    search: question < 0 ? '' : url.slice(question),
    body,
  }
}

interface Sent {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

export interface Asked {
  readonly query?: unknown
  readonly operationName?: unknown
  readonly variables?: unknown
  readonly extensions?: unknown
  readonly documentId?: unknown
}

const bodyOf = ({ body }: HTTPGraphQLRequest): Asked => (typeof body === 'object' && body !== null ? body : {})

function parametersOf({ search }: HTTPGraphQLRequest): Asked {
  const parameters = new URLSearchParams(search)
  const once = (name: string) => {
    const [value, ...more] = parameters.getAll(name)
    return more.length > 0 ? NONSENSE : value
  }
  return {
    query: once('query'),
    operationName: once('operationName'),
    variables: parse(once('variables')),
    extensions: parse(once('extensions')),
    documentId: once('documentId'),
  }
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return NONSENSE
  }
}

const isOptional = (value: unknown, type: string): boolean =>
  value === undefined || value === null || typeof value === type

/** With the fields of every object in one order: what they come in means nothing. */
function sorted(value: unknown): unknown {
  // JSON has no other way to write what is beyond all numbers, but can be read as that: 1e999.
  if (typeof value === 'number' && !Number.isFinite(value)) return { '': String(value) }
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]))
}

/** Of no type that is wanted. */
const NONSENSE = Symbol('nonsense')
