import { currentToken, eventually, queryOnce } from '../harness/index.ts'
import type { World } from './world.ts'

/** Resolves with the newest token once all is well again and nothing is under way: every node knows the whole log, and no view waits. */
export async function settle({ servers, nodes }: World): Promise<string> {
  const url = servers.databaseUrl
  for (const node of nodes) {
    await patiently(`${node.name} is ready`, async () => (await fetch(`${node.url}/readyz`)).status === 200)
    await patiently(`${node.name} uses Redis`, async () => (await node.metric('stet_breaker_state')) === 0)
  }
  for (const node of nodes) {
    await patiently('every view is counted', async () => (await node.metrics()).includes(NO_VIEW_WAITS))
  }
  // Whoever still applies a batch holds these.
  await queryOnce(url, 'select from stet.applied for update')
  return patiently('nothing is written', async () => {
    const token = await currentToken(url)
    for (const node of nodes) {
      const position = Number.parseInt(token, 10)
      if ((await node.metric('stet_ledger_position')) !== position) return false
    }
    return token === (await currentToken(url)) && token
  })
}

/** As it stands among the metrics, where Redis could be asked. */
const NO_VIEW_WAITS = 'stet_queue_depth{queue="views"} 0\n'

async function patiently<T>(what: string, check: () => Promise<T>): Promise<Exclude<T, false>> {
  try {
    return await eventually(check)
  } catch (cause) {
    throw new Error(`It is not so that ${what}: ${(cause as Error).message}`, { cause })
  }
}
