import { createHash } from 'node:crypto'
import { expect } from '@jest/globals'

export interface Told {
  readonly status: number
  readonly data: Readonly<Record<string, unknown>> | null | undefined
  readonly codes: readonly string[]
}

/** A request over HTTP. */
export type Transport = (url: string, query: string, bearer: string | undefined) => Promise<Told>

const post: Transport = (url, query, bearer) => send(url, bearer, { query })

const get: Transport = async (url, query, bearer) =>
  told(await fetch(`${url}/graphql?${new URLSearchParams({ query })}`, { headers: authorization(bearer) }))

/** By its hash alone, in the URL. Sent in full before if the node doesn't know it. */
const getByHash: Transport = async (url, query, bearer) => {
  const byHash = async () => {
    const search = new URLSearchParams({ extensions: JSON.stringify(hashOf(query)) })
    return told(await fetch(`${url}/graphql?${search}`, { headers: authorization(bearer) }))
  }
  const first = await byHash()
  if (first.codes[0] !== 'PERSISTED_QUERY_NOT_FOUND') return first
  const full = await send(url, bearer, { query, extensions: hashOf(query) })
  const second = await byHash()
  expect(second).toEqual(full)
  return second
}

/** A mutation by its hash, which only a POST may send. */
export const postByHash: Transport = async (url, query, bearer) => {
  const first = await send(url, bearer, { extensions: hashOf(query) })
  if (first.codes[0] !== 'PERSISTED_QUERY_NOT_FOUND') return first
  return send(url, bearer, { query, extensions: hashOf(query) })
}

export const TRANSPORTS: Readonly<Record<'POST' | 'GET' | 'hash', Transport>> = {
  POST: post,
  GET: get,
  hash: getByHash,
}

/** Ways to write a document that asks for one field. The name of the field in the answer is `x`. */
export const FORMS: Readonly<Record<string, (operation: Operation, call: string, selection: string) => string>> = {
  alias: (operation, call, selection) => `${operation} { x: ${call} ${selection} }`,
  fragments: (operation, call, selection) => {
    const type = operation === 'query' ? 'Query' : 'Mutation'
    return `${operation} { ...Root } fragment Root on ${type} { ... { x: ${call} ${selection} } }`
  },
  'once more with another name': (operation, call, selection) =>
    operation === 'query'
      ? `query Twice { x: ${call} ${selection} y: ${call} ${selection} }`
      : `mutation Named { x: ${call} ${selection} }`,
}

type Operation = 'query' | 'mutation'

const hashOf = (query: string) => ({
  persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') },
})

const authorization = (bearer: string | undefined): Record<string, string> =>
  bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }

async function send(url: string, bearer: string | undefined, body: object): Promise<Told> {
  const headers = { ...authorization(bearer), 'content-type': 'application/json' }
  return told(await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) }))
}

async function told(response: Response): Promise<Told> {
  const { data, errors = [] } = (await response.json()) as {
    readonly data?: Told['data']
    readonly errors?: readonly { readonly extensions: { readonly code: string } }[]
  }
  return { status: response.status, data, codes: errors.map(({ extensions }) => extensions.code) }
}
