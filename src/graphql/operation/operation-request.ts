import { hash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { HeaderMap, type HTTPGraphQLRequest } from '@apollo/server'
import { ClientError } from '../../kernel/errors.ts'
import type { Operation, Operations } from './operations.ts'

/** What a request says, unchecked (GraphQL over HTTP, section 5.1). */
export interface RequestParameters {
  readonly query?: unknown
  readonly operationName?: unknown
  readonly variables?: unknown
  readonly extensions?: unknown
  readonly documentId?: unknown
}

/** An operation to run, however the request was written. */
export interface OperationRequest {
  readonly operation: Operation
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
}

/** The parameters of a request: of a GET those of its URL, of a POST or a QUERY those of its body. */
export const readParameters = ({ method, search, body }: HTTPGraphQLRequest): RequestParameters =>
  method === 'POST' ? (typeof body === 'object' && body !== null ? body : {}) : searchParameters(search)

/**
 * The operation that the parameters ask for. Undefined if they are not well-formed: Apollo then says what is wrong.
 * Throws if the document or the variables are beyond the limits.
 */
export function findOperation(
  { query, operationName, variables, extensions }: RequestParameters,
  operations: Operations,
): OperationRequest | undefined {
  limitVariables(variables, operations.limits.maxValues)
  if (typeof query !== 'string' || !isOptional(operationName, 'string')) return undefined
  if (!isOptional(variables, 'object') || !isOptional(extensions, 'object')) return undefined
  if (Array.isArray(variables) || Array.isArray(extensions)) return undefined
  const name = (operationName as string | null) ?? undefined
  const operation = operations.find(query, name)
  const given = (variables as OperationRequest['variables'] | null) ?? undefined
  return operation && { operation, operationName: name, variables: given }
}

/**
 * Refuses variables that hold too much, before anything looks into them: graphql-js coerces and reports each value by itself, and
 * by recursion.
 * @param max how many values they may hold: texts, numbers, lists, objects, and what is in these
 * @throws BAD_USER_INPUT with status 400
 */
export function limitVariables(variables: unknown, max: number): void {
  let count = 0
  let depth = 0
  for (let level = [variables]; level.length > 0; level = level.flatMap(inside)) {
    count += level.length
    if (depth++ > MAX_DEPTH) throw refused(`The variables nest more than ${MAX_DEPTH} lists and objects.`)
    if (count > max) {
      throw refused(
        `The variables hold more than ${max} values: that is all that the server takes (REQUEST_MAX_VALUES).`,
      )
    }
  }
}

const inside = (value: unknown): unknown[] =>
  typeof value !== 'object' || value === null ? [] : Array.isArray(value) ? value : Object.values(value)

/** Input types nest a few levels. Only lists of lists could nest more. */
const MAX_DEPTH = 32

const refused = (message: string): ClientError =>
  new ClientError('BAD_USER_INPUT', message, { field: 'variables', status: 400 })

/** Names an operation and its variables: the same key for every way to write the same request. 132 bits of a hash tell all apart. */
export const canonicalKeyOf = ({ operation, operationName, variables = {} }: OperationRequest): string =>
  hash('sha256', JSON.stringify([operation.text, operationName ?? null, sorted(variables)]), 'base64url').slice(0, 22)

/** A request as Apollo takes one. Its headers are copied only when Apollo reads them: most requests never get there. */
export class ApolloRequest implements HTTPGraphQLRequest {
  readonly method: string
  readonly search: string
  readonly body: unknown
  readonly #headers: IncomingHttpHeaders

  constructor({ method = '', url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>, body: unknown) {
    const question = url.indexOf('?')
    // Apollo knows neither HEAD nor QUERY.
    this.method = method === 'HEAD' ? 'GET' : method === 'QUERY' ? 'POST' : method
    this.search = question < 0 ? '' : withoutEmpty(url.slice(question))
    this.body = body
    this.#headers = headers
  }

  get headers(): HeaderMap {
    const map = new HeaderMap()
    for (const [name, value] of Object.entries(this.#headers)) if (value) map.set(name, String(value))
    // A GET has no content. Apollo would refuse some types of it, so that the same URL were answered only from the cache.
    if (this.method === 'GET') map.delete('content-type')
    return map
  }

  /** The same request with `query` in place of the hash that named it: Apollo would look for that hash itself. */
  withQuery(query: string, parameters: RequestParameters): ApolloRequest {
    const { persistedQuery, ...extensions } = (parameters.extensions ?? {}) as Record<string, unknown>
    const { method, search, body } = this
    if (method === 'POST') {
      const told = { ...(body as object), query, ...(persistedQuery ? { extensions } : {}) }
      return new ApolloRequest({ method, url: search, headers: this.#headers }, told)
    }
    const told = new URLSearchParams(search)
    told.set('query', query)
    if (persistedQuery) told.set('extensions', JSON.stringify(extensions))
    return new ApolloRequest({ method, url: `?${told}`, headers: this.#headers }, body)
  }
}

/**
 * Parameters that are optional and empty count as absent (GraphQL over HTTP, section 5.3), and so does the JSON null (section 5.1).
 * `operationName=null` names an operation.
 */
function withoutEmpty(search: string): string {
  if (!/[?&][^=&]+=?(null)?(&|$)/.test(search)) return search
  const parameters = new URLSearchParams(search)
  for (const name of ['operationName', 'variables', 'extensions', 'documentId']) {
    const isJson = name === 'variables' || name === 'extensions'
    const isEmpty = (value: string) => value === '' || (isJson && value === 'null')
    if (parameters.getAll(name).every(isEmpty)) parameters.delete(name)
  }
  return `?${parameters}`
}

function searchParameters(search: string): RequestParameters {
  const parameters = new URLSearchParams(search)
  const once = (name: string) => {
    const [value, ...more] = parameters.getAll(name)
    return more.length > 0 ? ILL_FORMED : value
  }
  return {
    query: once('query'),
    operationName: once('operationName'),
    variables: parseJson(once('variables')),
    extensions: parseJson(once('extensions')),
    documentId: once('documentId'),
  }
}

function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return text
  try {
    // Apollo takes no null from a URL.
    return JSON.parse(text) ?? ILL_FORMED
  } catch {
    return ILL_FORMED
  }
}

/** Of no type that a parameter may have. */
const ILL_FORMED = Symbol('ill-formed')

const isOptional = (value: unknown, type: string): boolean =>
  value === undefined || value === null || typeof value === type

/** The value with the fields of every object in one order, because their order means nothing. */
function sorted(value: unknown): unknown {
  // 1e999 reads as Infinity, which JSON would write as null.
  if (typeof value === 'number' && !Number.isFinite(value)) return { '': String(value) }
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]))
}
