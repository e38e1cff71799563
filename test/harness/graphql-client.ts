/** An answer over HTTP. `Data` is what the test says it asked for. */
export interface Answer<Data> {
  readonly status: number
  readonly headers: Headers
  readonly data: Data
  readonly errors: readonly AnswerError[]
  readonly extensions: Readonly<Record<string, unknown>>
  /** The `Stet-As-Of` of the answer. */
  readonly token: string | null
}

export interface AnswerError {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions: { readonly code: string; readonly field?: string; readonly requestId?: string }
}

/** Talks GraphQL to one node, as one viewer. */
export class GraphQLClient {
  readonly #url: string
  readonly #bearer: string | undefined

  constructor(url: string, bearer?: string) {
    this.#url = url
    this.#bearer = bearer
  }

  /** Sends a request and returns whatever comes back. */
  async send<Data = Record<string, unknown>>(
    query: string,
    variables: Record<string, unknown> = {},
    headers: Record<string, string> = {},
    method: 'GET' | 'POST' = 'POST',
  ): Promise<Answer<Data>> {
    const isPost = method === 'POST'
    const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) })
    const response = await fetch(`${this.#url}/graphql${isPost ? '' : `?${parameters}`}`, {
      method,
      headers: {
        ...(isPost && { 'content-type': 'application/json' }),
        ...(this.#bearer && { authorization: `Bearer ${this.#bearer}` }),
        ...headers,
      },
      ...(isPost && { body: JSON.stringify({ query, variables }) }),
    })
    const { data, errors = [], extensions = {} } = (await response.json()) as Partial<Answer<Data>> & { data: Data }
    const { status, headers: head } = response
    return { status, headers: head, data, errors, extensions, token: head.get('stet-as-of') }
  }

  /** The data of an answer. Throws where it holds errors. */
  async get<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Data> {
    const { data, errors } = await this.send<Data>(query, variables, headers)
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
    return data
  }
}
