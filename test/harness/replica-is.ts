import { eventually } from './eventually.ts'
import { readMetric } from './read-metric.ts'

/** Resolves once a node says that its replica is in this state. */
export async function replicaIs(
  { url }: { readonly url: string },
  state: 'unknown' | 'well' | 'away' | 'unfit',
): Promise<void> {
  await eventually(async () => (await readMetric(url, 'stet_replica_state', { state })) === 1)
}
