import { type PlainServers, plainServers } from './plain-servers.ts'
import { shiftedClock } from './shifted-clock.ts'

/** As plain servers, before nodes of which one is an hour ahead, and one an hour behind. */
export async function serversAndClocks(nodes: number): Promise<PlainServers> {
  const servers = await plainServers(nodes)
  return {
    ...servers,
    environmentOf: (node) => ({
      ...servers.environmentOf(node),
      NODE_OPTIONS: shiftedClock((HOURS[node] ?? 0) * 3_600_000),
    }),
  }
}

const HOURS: readonly number[] = [0, 1, -1]
