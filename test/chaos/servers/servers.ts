/** What the nodes of a world stand before: PostgreSQL, Redis, and proxies between each pair. */
export interface Servers {
  /** The primary's database as the test itself sees it, past every proxy. May change, after a fail-over. */
  readonly databaseUrl: string
  /** What tells a command where they are, past every proxy. */
  readonly environment: NodeJS.ProcessEnv
  /** What tells node number `node` (0, 1 or 2) where they are, through proxies of its own; and whatever else is its own. */
  environmentOf(node: number): NodeJS.ProcessEnv
  /** Ends what may be left of a fault: from when this resolves, all of them work and can be reached. */
  heal(): Promise<void>
  stop(): Promise<void>
}

/** Starts servers for so many nodes, with an empty database. */
export type StartServers<S extends Servers> = (nodes: number) => Promise<S>
