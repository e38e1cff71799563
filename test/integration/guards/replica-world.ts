import { sql } from 'kysely'
import { openDatabases, type ReplicaState } from '../../../src/database/index.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { eventually } from '../../harness/index.ts'

export interface OpenLoadsOptions {
  readonly url: string
  readonly replicaUrl: string
  readonly timeoutMs?: number
  readonly loads?: { readonly concurrent: number; readonly queued: number }
  readonly clock?: Clock
}

/** What loads from a database with a replica, without a node around it. */
export interface Loads {
  /** Where a load was answered. @param more ends its SELECT */
  load(more?: string): Promise<'primary' | 'replica'>
  /** So many loads at once: how many of them were answered by each of the two. */
  loadMany(count: number): Promise<{ readonly primary: number; readonly replica: number }>
  /** Resolves once the replica is in this state. */
  is(state: ReplicaState['is']): Promise<ReplicaState>
  readonly states: readonly ReplicaState['is'][]
  readonly fallbacks: readonly ('busy' | 'failed')[]
  close(): Promise<void>
}

export async function openLoads({ url, replicaUrl, timeoutMs = 500, loads, clock }: OpenLoadsOptions): Promise<Loads> {
  const states: ReplicaState['is'][] = []
  const fallbacks: ('busy' | 'failed')[] = []
  const { database, close } = await openDatabases({
    url,
    replica: {
      url: replicaUrl,
      timeoutMs,
      clock,
      observer: {
        onReplicaState: ({ is }) => states.push(is),
        onReplicaFallback: (why) => fallbacks.push(why),
      },
    },
    dataDirectory: '',
    poolMax: 10,
    statementTimeoutMs: 5000,
    ...(loads && { loads: { ...loads, waitMs: 10_000 } }),
    onError: () => {},
  })
  const load = async (more = '') => {
    const answer = sql<{ standby: boolean }>`select pg_is_in_recovery() as standby ${sql.raw(more)}`
    const { rows } = await database.loader('any')(answer)
    return rows[0]?.standby ? 'replica' : 'primary'
  }
  return {
    load,
    async loadMany(count) {
      const answers = await Promise.all(Array.from({ length: count }, () => load()))
      const replica = answers.filter((answer) => answer === 'replica').length
      return { primary: count - replica, replica }
    },
    is: (wanted) =>
      eventually(() => {
        const { replica } = database
        return replica?.state.is === wanted && replica.state
      }) as Promise<ReplicaState>,
    states,
    fallbacks,
    close,
  }
}
