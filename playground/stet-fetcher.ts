import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from '@graphiql/toolkit'
import { type DocumentNode, Kind } from 'graphql'
import type { Explanation } from '../src/answers/explanation.ts'
import type { AnswerLog } from './answer-log.ts'
import { timedFetch } from './timed-fetch.ts'

interface StetFetcherOptions {
  readonly log: AnswerLog
  readonly demoToken: string | undefined
}

/**
 * Sends operations to `/graphql` and records every answer in `log`. Signs in with `demoToken` and sends the last `Stet-As-Of`,
 * unless the Headers pane sets these headers.
 */
export function createStetFetcher({ log, demoToken }: StetFetcherOptions): Fetcher {
  const signIn = demoToken === undefined ? {} : { Authorization: `Bearer ${demoToken}` }

  return (params, options) => {
    const send = createGraphiQLFetcher({
      url: '/graphql',
      enableIncrementalDelivery: false,
      async fetch(input, init) {
        const headers = new Headers(init?.headers)
        addMissing(headers, 'Authorization', signIn.Authorization)
        addMissing(headers, 'Stet-As-Of', log.seen().asOf)
        if (isIntrospection(params)) return fetch(input, { ...init, headers })
        if (log.seen().explaining) addMissing(headers, 'Stet-Explain', '1')
        const { response, tookMs } = await timedFetch(input, { ...init, headers })
        const { answer, explanation } = await takeOut(response)
        log.record({ operation: nameOf(params, options?.documentAST), response, tookMs, explanation })
        return answer
      },
    })
    return send(params, options)
  }
}

/** Takes the explanation out of the answer, because the panel shows it and it would hide the rest of the answer. */
async function takeOut(response: Response): Promise<{ answer: Response; explanation: Explanation | undefined }> {
  const body: ExplainedBody | undefined = await response
    .clone()
    .json()
    .catch(() => undefined)
  const { stet, ...extensions } = body?.extensions ?? {}
  if (stet === undefined) return { answer: response, explanation: undefined }
  const rest = Object.keys(extensions).length > 0 ? { ...body, extensions } : { ...body, extensions: undefined }
  const { status, headers } = response
  return { answer: new Response(JSON.stringify(rest), { status, headers }), explanation: stet }
}

interface ExplainedBody {
  readonly extensions?: { readonly stet?: Explanation }
}

/** Adds a header unless it is set. A header that is empty in the Headers pane is not sent: `{ "Authorization": "" }` makes a visitor. */
function addMissing(headers: Headers, name: string, value: string | undefined): void {
  const given = headers.get(name)
  if (given === '') headers.delete(name)
  else if (given === null && value !== undefined) headers.set(name, value)
}

function isIntrospection({ operationName }: FetcherParams): boolean {
  return operationName === 'IntrospectionQuery'
}

/** The operation's own name, or its first field as in `{ articles }`. */
function nameOf({ operationName }: FetcherParams, document: DocumentNode | undefined): string {
  if (operationName) return operationName
  for (const definition of document?.definitions ?? []) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const field = definition.selectionSet.selections.find((selection) => selection.kind === Kind.FIELD)
    if (field !== undefined) return `{ ${field.name.value} }`
  }
  return '{ … }'
}
