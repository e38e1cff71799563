import type { Database, ReplicaState } from '../database/index.ts'
import { type HealthChecks, UnwellError } from '../http/index.ts'

/** The line that /readyz has for a replica. A node is ready without one, because it then reads the primary. */
export function replicaHealth(replica: Database['replica']): HealthChecks {
  if (!replica) return {}
  return {
    replica: {
      required: false,
      check: async () => {
        const why = whyUnused(replica.state)
        if (why !== undefined) throw new UnwellError(why)
      },
    },
  }
}

function whyUnused(state: ReplicaState): string | undefined {
  switch (state.is) {
    case 'well':
      return undefined
    case 'unknown':
      return 'it has not answered a probe yet'
    case 'away':
      return 'it does not answer'
    case 'unfit':
      return state.why
    default:
      return state satisfies never
  }
}
