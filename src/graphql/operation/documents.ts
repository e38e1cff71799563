import { hash } from 'node:crypto'
import type { HTTPGraphQLRequest } from '@apollo/server'
import { AskerError } from '../../kernel/errors.ts'
import type { Operations } from './operations.ts'
import type { PersistedQueries } from './persisted-queries.ts'
import { type Asked, readAsked } from './question.ts'
import type { TrustedDocuments } from './trusted-documents.ts'

export interface DocumentsOptions {
  readonly operations: Operations
  /** What clients have told. Undefined: nobody may. */
  readonly persisted: PersistedQueries | undefined
  readonly trusted: TrustedDocuments | undefined
  /** Nothing but what is trusted is answered. */
  readonly trustedOnly: boolean
}

/** A request whose query is in it. */
export interface Resolved {
  readonly http: HTTPGraphQLRequest
  /** It told a query beside its hash. Answered without looking, it would tell it to nobody. */
  readonly tells: boolean
}

/**
 * Finds the document that a request only names, so that whatever follows sees an ordinary query. It is named by
 *
 *   extensions.persistedQuery   Apollo's automatic persisted queries: where the hash isn't known, the client tells both
 *   documentId                  GraphQL over HTTP, appendix A
 *
 * and found among those that are trusted, then among those that clients have told.
 */
export class Documents {
  readonly #options: DocumentsOptions

  constructor(options: DocumentsOptions) {
    this.#options = options
  }

  /** Throws where there is no such document, or it may not be used. What is wrong in other ways is left for Apollo to say. */
  async resolve(http: HTTPGraphQLRequest): Promise<Resolved> {
    const { operations, persisted, trusted, trustedOnly } = this.#options
    const asked = readAsked(http)
    const { query, documentId } = asked
    const byHash = persistedQueryOf(asked)
    const id = idOf(byHash ? byHash.sha256Hash : documentId)
    const listed = trusted?.find(id)
    const isNamed = query === undefined || query === null
    const text = isNamed ? (listed ?? (await persisted?.find(id))) : query
    if (trustedOnly && !trusted?.holds(text)) {
      throw new AskerError('DOCUMENT_NOT_TRUSTED', 'Only documents that are listed here are answered.', { status: 403 })
    }
    if (byHash && !persisted && listed === undefined && !trustedOnly) {
      throw new AskerError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported', { status: 200 })
    }
    if (byHash) check(byHash, { id, query, listed })
    if (isNamed && text === undefined && (byHash || id !== '')) {
      throw new AskerError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', { status: byHash ? 200 : 400 })
    }
    const tells = persisted !== undefined && byHash !== undefined && typeof query === 'string'
    // What can't be run would only take up room.
    if (tells && operations.find(query, nameOf(asked))) await persisted.keep(id, query)
    return { http: typeof text === 'string' && (byHash || isNamed) ? withQuery(http, text, asked) : http, tells }
  }
}

interface PersistedQuery {
  readonly version?: unknown
  readonly sha256Hash?: unknown
}

const persistedQueryOf = ({ extensions }: Asked): PersistedQuery | undefined =>
  ((extensions ?? {}) as { readonly persistedQuery?: PersistedQuery }).persistedQuery || undefined

/** With or without what says how it was made. Empty: there is none. */
const idOf = (named: unknown): string => (typeof named === 'string' ? named.replace(/^sha256:/, '') : '')

const nameOf = ({ operationName }: Asked): string | undefined =>
  typeof operationName === 'string' ? operationName : undefined

interface Claim {
  readonly id: string
  readonly query: unknown
  /** A manifest may name documents as it likes. */
  readonly listed: string | undefined
}

function check({ version }: PersistedQuery, { id, query, listed }: Claim): void {
  const refuse = (field: string, message: string) => {
    throw new AskerError('BAD_USER_INPUT', message, { field: `extensions.persistedQuery.${field}`, status: 400 })
  }
  if (version !== 1) refuse('version', 'Unsupported persisted query version')
  if (typeof query !== 'string' || query === listed) return
  if (hash('sha256', query) !== id) refuse('sha256Hash', 'provided sha does not match query')
}

/** The same request with its query, and without its hash: Apollo would look for that itself. */
function withQuery(http: HTTPGraphQLRequest, query: string, asked: Asked): HTTPGraphQLRequest {
  const { persistedQuery, ...extensions } = (asked.extensions ?? {}) as Record<string, unknown>
  if (http.method === 'POST') {
    return { ...http, body: { ...(http.body as object), query, ...(persistedQuery ? { extensions } : {}) } }
  }
  const parameters = new URLSearchParams(http.search)
  parameters.set('query', query)
  if (persistedQuery) parameters.set('extensions', JSON.stringify(extensions))
  return { ...http, search: `?${parameters}` }
}
