import { METHODS as KNOWN } from 'node:http'

/** The methods that `/graphql` answers, as `Allow` has them. Earlier versions of Node don't know QUERY, and refuse it. */
export const METHODS = KNOWN.includes('QUERY') ? 'GET, HEAD, POST, QUERY' : 'GET, HEAD, POST'

/** True for a method whose question stands in its body: QUERY (RFC 10008) is a GET with a body. */
export const hasBody = (method: string | undefined): boolean => method === 'POST' || method === 'QUERY'

/** What a body may be (RFC 10008, section 3). */
export const ACCEPT_QUERY_LINE = KNOWN.includes('QUERY') ? 'accept-query: application/json\r\n' : ''
