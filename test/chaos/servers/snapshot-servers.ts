import { type PlainServers, plainServers } from './plain-servers.ts'

/** Redis has nothing but snapshots: killed and started again, it has what it held at its last SAVE. */
export const snapshotServers = (nodes: number): Promise<PlainServers> =>
  plainServers(nodes, { args: ['--appendonly', 'no'] })
