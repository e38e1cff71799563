import { hash } from 'node:crypto'
import { ClientError } from '../../kernel/errors.ts'
import { type ApolloRequest, type RequestParameters, readParameters } from './operation-request.ts'
import type { PersistedQueries } from './persisted-queries.ts'
import type { TrustedDocuments } from './trusted-documents.ts'

export interface DocumentsOptions {
  /** Documents that clients have registered. Undefined: clients may register none. */
  readonly persisted: PersistedQueries | undefined
  readonly trusted: TrustedDocuments | undefined
  /** Only trusted documents are answered. */
  readonly trustedOnly: boolean
}

/** A request that holds its query, and its parameters. */
export interface ResolvedRequest {
  readonly http: ApolloRequest
  readonly parameters: RequestParameters
  /** The request registers a persisted query by this name: see `register`. HAZARD: it must be read each time, or its query would be registered nowhere. */
  readonly registersAs: string | undefined
}

/**
 * Finds the document that a request only names. It is named by
 *
 *   extensions.persistedQuery   Apollo's automatic persisted queries: if the hash isn't known, the client sends both
 *   documentId                  GraphQL over HTTP, appendix A
 *
 * and found among the trusted documents, then among those that clients have registered.
 */
export class Documents {
  readonly #options: DocumentsOptions

  constructor(options: DocumentsOptions) {
    this.#options = options
  }

  /** Throws an `ClientError` if there is no such document, or it may not be used. Other faults are left for Apollo to report. */
  async resolve(http: ApolloRequest): Promise<ResolvedRequest> {
    const { persisted, trusted, trustedOnly } = this.#options
    const parameters = readParameters(http)
    const { query, documentId } = parameters
    const byHash = persistedQueryOf(parameters)
    const id = idOf(byHash ? byHash.sha256Hash : documentId)
    const listed = trusted?.find(id)
    const isNamed = query === undefined || query === null
    const text = isNamed ? (listed ?? (await persisted?.find(id))) : query
    if (trustedOnly && !trusted?.holds(text)) {
      throw new ClientError('DOCUMENT_NOT_TRUSTED', 'Only documents that are listed here are answered.', {
        status: 403,
      })
    }
    if (byHash && !persisted && listed === undefined && !trustedOnly) {
      throw new ClientError('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported', { status: 200 })
    }
    if (byHash) checkHash(byHash, { id, query, listed })
    if (isNamed && text === undefined && (byHash || id !== '')) {
      throw new ClientError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', { status: byHash ? 200 : 400 })
    }
    const registersAs = persisted !== undefined && byHash !== undefined && typeof query === 'string' ? id : undefined
    if (typeof text !== 'string' || !(byHash || isNamed)) return { http, parameters, registersAs }
    return { http: http.withQuery(text, parameters), parameters: { ...parameters, query: text }, registersAs }
  }

  /** Keeps the query that a request registers by `name`. Does nothing if that is undefined. Only a query that can be run is worth its room. */
  async register(name: string | undefined, { query }: RequestParameters): Promise<void> {
    if (name !== undefined) await this.#options.persisted?.keep(name, String(query))
  }
}

interface PersistedQuery {
  readonly version?: unknown
  readonly sha256Hash?: unknown
}

const persistedQueryOf = ({ extensions }: RequestParameters): PersistedQuery | undefined =>
  ((extensions ?? {}) as { readonly persistedQuery?: PersistedQuery }).persistedQuery || undefined

/** With or without the prefix that names the hash function. Empty if there is none. */
const idOf = (named: unknown): string => (typeof named === 'string' ? named.replace(/^sha256:/, '') : '')

interface Claim {
  readonly id: string
  readonly query: unknown
  /** The trusted document of that id. Its id need not be a hash. */
  readonly listed: string | undefined
}

function checkHash({ version }: PersistedQuery, { id, query, listed }: Claim): void {
  const refuse = (field: string, message: string) => {
    throw new ClientError('BAD_USER_INPUT', message, { field: `extensions.persistedQuery.${field}`, status: 400 })
  }
  if (version !== 1) refuse('version', 'Unsupported persisted query version')
  if (typeof query !== 'string' || query === listed) return
  if (hash('sha256', query) !== id) refuse('sha256Hash', 'provided sha does not match query')
}
