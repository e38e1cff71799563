import { isDeepStrictEqual } from 'node:util'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { graphql } from 'graphql'
import { createLoaders, createResolvers, typeDefs } from './peer-schema.ts'
import { sendRequests } from './send-requests.ts'
import { type Rows, Store } from './store.ts'
import type { GraphQLRequest } from './workloads.ts'

/** Resolves with the data of the right answer. Wrong once something was written. */
export type Reference = (request: GraphQLRequest) => Promise<unknown>

/** Executes requests by graphql-js itself, in this process. */
export function createReference(rows: Rows): Reference {
  const store = new Store(rows)
  const schema = makeExecutableSchema({ typeDefs, resolvers: createResolvers(store) })
  return async ({ query, variables }) => {
    const contextValue = { loaders: createLoaders(store) }
    const { data, errors } = await graphql({ schema, source: query, variableValues: variables, contextValue })
    if (errors) throw errors[0]
    return JSON.parse(JSON.stringify(data))
  }
}

export const formatAnswer = (data: unknown): string => `${JSON.stringify({ data })}\n`

/** Throws if a contestant answers anything else. Asks twice, because the second time its cache answers. */
export async function checkAnswers(
  url: string,
  { samples, reference }: { readonly samples: readonly GraphQLRequest[]; readonly reference: Reference },
): Promise<void> {
  const expected = await Promise.all(samples.map(reference))
  for (const _time of ['first', 'second']) {
    const answers = await sendRequests(url, samples)
    const wrong = answers.findIndex((answer, at) => !isDeepStrictEqual(answer, expected[at]))
    if (wrong >= 0) {
      const [is, should] = [answers[wrong], expected[wrong]].map((data) => JSON.stringify(data))
      throw new Error(`${url} answers ${JSON.stringify(samples[wrong])}\nwith      ${is}\ninstead of ${should}`)
    }
  }
}
