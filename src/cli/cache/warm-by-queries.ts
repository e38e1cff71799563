import { readFile } from 'node:fs/promises'
import { Kind, OperationTypeNode, parse, print, separateOperations } from 'graphql'
import { hideCredentials } from '../../kernel/hide-credentials.ts'
import { UsageError, withProgress } from '../command.ts'

export interface Warmed {
  /** How many queries were answered, or how many entries are in Redis now. */
  readonly warmed: number
  /** Entries that cannot be loaded by the text of their keys. */
  readonly skipped: number
  readonly failed: readonly { readonly what: string; readonly message: string }[]
}

export interface Destination {
  readonly url: string
  readonly token: string | undefined
  /** How many queries are sent at once. */
  readonly concurrency: number
}

/** Sends the queries in a file to a node, which caches what they need. Throws a UsageError if they cannot be read. */
export async function warmByQueries(file: string, destination: Destination): Promise<Warmed> {
  const queries = await readQueries(file)
  const failed: { what: string; message: string }[] = []
  let done = 0
  const waiting = queries.values()
  await withProgress('Warming', async (onProgress) => {
    const sendSome = async () => {
      for (const query of waiting) {
        const problem = await send(query, destination)
        if (problem !== undefined) failed.push({ what: query.name, message: problem })
        onProgress({ done: ++done, total: queries.length })
      }
    }
    await Promise.all(Array.from({ length: Math.min(destination.concurrency, queries.length) }, sendSome))
  })
  return { warmed: queries.length - failed.length, skipped: 0, failed }
}

interface NamedQuery {
  /** For messages. */
  readonly name: string
  readonly query: string
  readonly variables: object
}

/** Reads GraphQL with one or more operations, or a JSON array of `{ query, variables }`. */
async function readQueries(file: string): Promise<NamedQuery[]> {
  const text = await readFile(file, 'utf8')
  const queries = text.trimStart().startsWith('[') ? readJson(text, file) : readGraphQL(text, file)
  if (queries.length === 0) throw new UsageError(`${file} holds no query.`)
  return queries
}

function readGraphQL(text: string, name: string, variables: object = {}): NamedQuery[] {
  const document = parseOrRefuse(parse, text, `${name} is not GraphQL`)
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

function readJson(text: string, file: string): NamedQuery[] {
  const items: readonly unknown[] = parseOrRefuse(JSON.parse, text, `${file} is not JSON`)
  return items.flatMap((item, index) => {
    const { query, variables = {} } = (item ?? {}) as { readonly query?: unknown; readonly variables?: unknown }
    const name = `${file}[${index}]`
    if (typeof query !== 'string' || typeof variables !== 'object') {
      throw new UsageError(`${name} must be an object with "query" and, if need be, "variables".`)
    }
    return readGraphQL(query, name, variables ?? {})
  })
}

function parseOrRefuse<T>(parse: (text: string) => T, text: string, refusal: string): T {
  try {
    return parse(text)
  } catch (error) {
    throw new UsageError(`${refusal}: ${(error as Error).message}`)
  }
}

/** Sends one query. Returns what went wrong, or undefined. */
async function send({ query, variables }: NamedQuery, { url, token }: Destination): Promise<string | undefined> {
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
    return hideCredentials(cause instanceof Error ? cause.message || message : message)
  }
}

const TIMEOUT_MS = 30_000
