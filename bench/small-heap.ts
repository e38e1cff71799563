import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { addContent } from '../test/api/add-content.ts'
import { FuzzNode } from '../test/fuzz/fuzz-node.ts'
import { Dice } from '../test/integration/oracle/dice.ts'

const AT_ONCE = 8
const STEP = 10_000

/**
 * A node with a small heap, asked twice for documents of which no two are alike: how many requests a second it answers of each 10,000 documents, and
 * how many bytes are left after garbage collection. `--requests`, and `--heap`: the limit of the old generation in MB.
 */
export async function smallHeap(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { requests: { type: 'string', default: '100000' }, heap: { type: 'string', default: '320' } },
  })
  for (const [name, { method, write }] of Object.entries(shapes)) {
    console.log(`\nsmall-heap: ${name}, --max-old-space-size=${values.heap}, ${AT_ONCE} at a time`)
    const node = await FuzzNode.start({}, Number(values.heap))
    try {
      await addContent(node.databaseUrl)
      const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
      for (let done = 0; done < Number(values.requests); done += STEP) {
        let next = done
        const startedAt = performance.now()
        const send = async () => {
          while (next < done + STEP) {
            const document = write(next++)
            // From the second time on it is kept.
            for (const _ of [1, 2]) await ask(agent, node.url, method, document)
          }
        }
        await Promise.all(Array.from({ length: AT_ONCE }, send))
        const perSecond = (2 * STEP * 1000) / (performance.now() - startedAt)
        const heldMb = (await node.heldBytes()) / 2 ** 20
        console.log(
          `  ${String(done + STEP).padStart(7)}   ${perSecond.toFixed(0).padStart(5)} a second   ${heldMb.toFixed(0).padStart(4)} MB held`,
        )
      }
    } finally {
      await node.end()
    }
  }
}

const FIELDS = ['id', 'title', 'summary', 'slug', 'publishedAt', 'updatedAt', 'createdAt', '__typename']

interface Shape {
  /** Answers to a GET are kept when they are first made, those to a POST if they are asked for again. */
  readonly method: 'GET' | 'POST'
  write(n: number): string
}

const shapes: Readonly<Record<string, Shape>> = {
  'short documents, by GET': {
    method: 'GET',
    write: (n) => `query Q${n} { article(id: "QXJ0aWNsZTox") { a${n}: title b${n}: slug } }`,
  },
  'long documents, by POST': {
    method: 'POST',
    write: (n) => {
      const dice = new Dice(n)
      const fields = Array.from({ length: 5 + dice.below(20) }, (_, index) => `f${n}_${index}: ${dice.pick(FIELDS)}`)
      return `query Q${n} { articles(first: 5) { edges { node { ${fields.join(' ')} author { id username } } } pageInfo { endCursor } } }`
    },
  },
}

function ask(agent: Agent, url: string, method: Shape['method'], query: string): Promise<void> {
  const search = method === 'GET' ? `?query=${encodeURIComponent(query)}` : ''
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/graphql${search}`, { method, agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`The node answered with ${response.statusCode}.`))
      response.resume().on('end', resolve).on('error', reject)
    })
    sent.on('error', reject).end(method === 'POST' ? JSON.stringify({ query }) : undefined)
  })
}
