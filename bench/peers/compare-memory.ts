import { formatAnswer } from './reference.ts'
import { type Column, type Held, printMemory } from './report.ts'
import { sendRequests } from './send-requests.ts'
import { answers, type ContestantName, type Ring, startContestant } from './start-contestant.ts'
import { ARTICLE_IDS, type GraphQLRequest, single } from './workloads.ts'

/**
 * Measures what a cached answer takes in the process: heap and buffers after garbage collection, with the answers cached, less
 * what they were before. First with the rows that they are made of, then for other answers from the same rows.
 */
export async function compareMemory(ring: Ring, contestants: readonly ContestantName[]): Promise<readonly Column[]> {
  const [warmUps, measured] = [ARTICLE_IDS.slice(ANSWERS, 2 * ANSWERS), ARTICLE_IDS.slice(0, ANSWERS)]
  const first = measured.map(single)
  const second = first.map(({ query, variables }) => ({ query: query.replace('Article(', 'Again('), variables }))
  const sizes = await Promise.all(
    first.map(async (request) => Buffer.byteLength(formatAnswer(await ring.reference(request)))),
  )
  const bodyBytes = sizes.reduce((sum, size) => sum + size, 0) / ANSWERS
  const held: Held[] = []
  for (const name of contestants.filter(answers)) {
    console.error(`memory: ${name} …`)
    const process = await startContestant(ring, name, first[0] ?? { query: '' })
    try {
      // Code is compiled, and buffers reach their size.
      await sendRequests(process.url, warmUps.map(single))
      const empty = await process.heldBytes()
      await askThrice(process.url, first)
      const once = await process.heldBytes()
      await askThrice(process.url, second)
      const twice = await process.heldBytes()
      held.push({ name, withRows: (once - empty) / ANSWERS, alone: (twice - once) / ANSWERS })
    } finally {
      await process.stop()
    }
  }
  return printMemory({ bodyBytes, held, answers: ANSWERS })
}

/** Stet keeps an answer to a POST from the second time on that it is asked for. The third time is a hit, which may hold more. */
async function askThrice(url: string, requests: readonly GraphQLRequest[]): Promise<void> {
  for (let time = 0; time < 3; time++) await sendRequests(url, requests)
}

const ANSWERS = 3000
