import { runStet } from '../api/run-stet.ts'
import { currentToken, eventually, startTestNode, testToken } from '../harness/index.ts'
import type { Violation } from './checker/violation.ts'
import type { Viewer } from './history/history.ts'
import { NOT_NOW } from './not-now.ts'
import { settle } from './settle.ts'
import { type Ask, ask } from './workload/ask.ts'
import { articleId, tagId, userId } from './workload/content.ts'
import type { World } from './world.ts'

export interface AskedBy {
  readonly viewer: Viewer
  readonly ask: Ask
}

/** Once nothing is written any more: is what stands in Redis, and what every node answers, what the database holds? */
export async function checkAtRest(world: World, asked: readonly AskedBy[]): Promise<Violation[]> {
  await settle(world)
  const inRedis = await verifyRedis(world)
  for (let attempt = 1; ; attempt++) {
    const before = await settle(world)
    const violations = await compareNodes(world, [...asked, everyRow(world)])
    // Somebody may have written after all: the ranking of articles, or a request that nobody waits for any more.
    const isStill = before === (await currentToken(world.servers.databaseUrl))
    if (isStill || violations.length === 0) return [...inRedis, ...violations]
    if (attempt === 10) throw new Error('Somebody goes on writing.')
  }
}

async function verifyRedis({ servers }: World): Promise<Violation[]> {
  const { stdout, stderr } = await runStet(['cache', 'verify', '--json'], servers.environment)
  if (stdout === '') throw new Error(`stet cache verify failed: ${stderr}`)
  const { wrongKeys } = JSON.parse(stdout) as { readonly wrongKeys: readonly string[] }
  return wrongKeys.map((key) => ({ kind: 'wrong in Redis', message: key }))
}

async function compareNodes({ servers, nodes }: World, asked: readonly AskedBy[]): Promise<Violation[]> {
  const distinct = [...new Map(asked.map((one) => [JSON.stringify([one.viewer, one.ask]), one])).values()]
  // No entry fits into its memory tier, and it has no other.
  const oracle = await startTestNode({
    databaseUrl: servers.databaseUrl,
    environment: { CACHE_MEMORY_MAX_MB: '0.000001', RANK_ARTICLES_EVERY: '86400' },
  })
  try {
    const compare = async (one: AskedBy): Promise<Violation[]> => {
      const [expected, ...answers] = await Promise.all([oracle, ...nodes].map(({ url }) => answerOf(url, one)))
      return answers.flatMap((answer, index) =>
        answer === expected
          ? []
          : {
              kind: 'wrong at rest',
              message: `${nodes[index]?.name} answers ${one.viewer}, who asks for ${one.ask.field} ${JSON.stringify(one.ask.variables)}:\n${answer}\nWithout a cache that is:\n${expected}`,
            },
      )
    }
    const violations: Violation[] = []
    for (let from = 0; from < distinct.length; from += AT_ONCE) {
      const some = await Promise.all(distinct.slice(from, from + AT_ONCE).map(compare))
      violations.push(...some.flat())
    }
    return violations
  } finally {
    await oracle.close()
  }
}

const AT_ONCE = 8

/** Without a token: what a node holds must be right without being told that there is more. A machine may be busy: who is told to ask another time does. */
function answerOf(url: string, { viewer, ask: { query, variables } }: AskedBy): Promise<string> {
  const answer = async () => {
    const bearer = await bearerOf(viewer)
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
      body: JSON.stringify({ query, variables }),
    })
    const text = await response.text()
    const { errors = [] } = JSON.parse(text) as { readonly errors?: readonly { extensions?: { code?: string } }[] }
    if (errors.some(({ extensions }) => NOT_NOW.includes(extensions?.code ?? ''))) throw new Error(text)
    return text
  }
  return eventually(answer, { withinMs: 60_000 })
}

export const bearerOf = async (viewer: Viewer): Promise<string | undefined> =>
  viewer === 'visitor' ? undefined : viewer === 'admin' ? testToken('admin') : testToken('author', viewer)

function everyRow({ content: { articles, users, tags } }: World): AskedBy {
  const ids = [[...articles.keys()].map(articleId), [...users.keys()].map(userId), [...tags.keys()].map(tagId)].flat()
  const text = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ...A ...U ...T } }'
  return { viewer: 'admin', ask: ask('nodes', text, { ids }) }
}
