import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { expect } from '@jest/globals'

export interface Raw {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As they were sent. */
  readonly bytes: Buffer
  readonly body: string
}

export interface Sending {
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string
}

export interface Asking extends Omit<Sending, 'body'> {
  readonly variables?: Record<string, unknown>
}

export const pathOf = (query: string, variables?: Record<string, unknown>) =>
  `/graphql?${new URLSearchParams({ query, ...(variables && { variables: JSON.stringify(variables) }) })}`

/** A client that adds no header of its own. */
export function rawClient(url: string) {
  const send = async (path: string, { method = 'GET', headers = {}, body }: Sending = {}): Promise<Raw> => {
    const sent = request(url + path, { method, headers }).end(body)
    const [response] = await once(sent, 'response')
    const bytes = await buffer(response)
    return { status: response.statusCode, headers: response.headers, bytes, body: bytes.toString() }
  }

  const ask = (query: string, { method = 'GET', headers = {}, variables = {} }: Asking = {}): Promise<Raw> =>
    method === 'POST' || method === 'QUERY'
      ? send('/graphql', {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ query, variables }),
        })
      : send(pathOf(query, variables), { method, headers })

  /** An answer that is kept, and was sent as such. */
  const hit = async (query: string, asking?: Asking): Promise<Raw> => {
    await ask(query, asking)
    const answer = await ask(query, asking)
    expect(answer.headers['x-cache']).toBe('HIT')
    return answer
  }

  return { send, ask, hit }
}

/** Without what differs with every answer. */
export const lasting = ({
  date: _,
  age: __,
  'x-accel-expires': ___,
  'x-request-id': ____,
  'cache-status': _____,
  ...headers
}: IncomingHttpHeaders) => headers
