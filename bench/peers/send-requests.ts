import type { GraphQLRequest } from './workloads.ts'

/** Sends requests, sixteen at a time. Resolves with the data of their answers, in order. Throws if an answer has errors. */
export async function sendRequests(url: string, requests: readonly GraphQLRequest[]): Promise<unknown[]> {
  const answers: unknown[] = []
  let begun = 0
  const work = async () => {
    while (begun < requests.length) {
      const at = begun++
      answers[at] = await send(url, requests[at])
    }
  }
  await Promise.all(Array.from({ length: 16 }, work))
  return answers
}

async function send(url: string, request: GraphQLRequest | undefined): Promise<unknown> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  const text = await response.text()
  const { data, errors } = JSON.parse(text)
  if (errors || !data) throw new Error(`${url} answers ${response.status} ${text.slice(0, 500)}`)
  return data
}
