import { readFile } from 'node:fs/promises'
import { type DocumentNode, GraphQLError, Kind, OperationTypeNode, parse, print, separateOperations } from 'graphql'
import type { Progress } from '../../content/index.ts'
import { UsageError } from '../command.ts'
import type { Warmed } from './warm-hottest.ts'

/** A query to send, with a name for messages. */
interface NamedQuery {
  readonly name: string
  readonly query: string
  readonly variables: object
}

/** Reads queries from a file: GraphQL with one or more operations, or a JSON array of `{ query, variables }`. Throws a UsageError for anything else. */
export async function readQueries(file: string): Promise<NamedQuery[]> {
  const text = await readFile(file, 'utf8')
  const queries = text.trimStart().startsWith('[') ? readJson(text, file) : readGraphQL(text, file)
  if (queries.length === 0) throw new UsageError(`${file} holds no query.`)
  return queries
}

function readGraphQL(text: string, name: string, variables: object = {}): NamedQuery[] {
  const document = parseDocument(text, name)
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  if (operations.length > 1 && operations.some((operation) => !operation.name)) {
    throw new UsageError(`${name} holds several queries: each needs a name.`)
  }
  if (operations.some(({ operation }) => operation !== OperationTypeNode.QUERY)) {
    throw new UsageError(`${name} holds a mutation or a subscription: only queries warm a cache.`)
  }
  return Object.entries(separateOperations(document)).map(([operation, itsDocument]) => ({
    name: operation || name,
    query: print(itsDocument),
    variables,
  }))
}

function parseDocument(text: string, name: string): DocumentNode {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    throw new UsageError(`${name} is not GraphQL: ${error.message}`)
  }
}

function readJson(text: string, file: string): NamedQuery[] {
  return parseArray(text, file).flatMap((item, index) => {
    const { query, variables = {} } = (item ?? {}) as { readonly query?: unknown; readonly variables?: unknown }
    const name = `${file}[${index}]`
    if (typeof query !== 'string' || typeof variables !== 'object') {
      throw new UsageError(`${name} must be an object with "query" and, if need be, "variables".`)
    }
    return readGraphQL(query, name, variables ?? {})
  })
}

function parseArray(text: string, file: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[]
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`)
  }
}

export interface SendQueriesOptions {
  readonly url: string
  readonly token: string | undefined
  /** How many queries are sent at once. */
  readonly concurrency: number
  readonly onProgress: (progress: Progress) => void
}

/** Sends queries to a node, which caches what they need. */
export async function sendQueries(queries: readonly NamedQuery[], options: SendQueriesOptions): Promise<Warmed> {
  const { concurrency, onProgress } = options
  const failed: { what: string; message: string }[] = []
  let done = 0
  const waiting = queries.values()
  const worker = async () => {
    for (const query of waiting) {
      const problem = await send(query, options)
      if (problem !== undefined) failed.push({ what: query.name, message: problem })
      onProgress({ done: ++done, total: queries.length })
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, queries.length) }, worker))
  return { warmed: queries.length - failed.length, skipped: 0, failed }
}

/** Sends one query. Returns what went wrong, or undefined. */
async function send({ query, variables }: NamedQuery, { url, token }: SendQueriesOptions): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = (await response.json().catch(() => undefined)) as
      | { readonly data?: unknown; readonly errors?: readonly { readonly message: string }[] }
      | undefined
    const [error] = body?.errors ?? []
    if (error) return error.message
    return response.ok && body?.data ? undefined : `${url} answered ${response.status}, and no GraphQL`
  } catch (error) {
    const { cause, message } = error as Error
    return cause instanceof Error ? cause.message || message : message
  }
}

const TIMEOUT_MS = 30_000
