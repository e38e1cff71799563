import type { RequestLimits } from '../../src/graphql/operation/index.ts'

/** Beyond what any test sends that isn't about limits. */
export const AMPLE: RequestLimits = {
  maxBytes: 1_000_000,
  maxTokens: 10_000,
  maxDepth: 100,
  maxFields: 10_000,
  maxAliases: 10_000,
  maxRootFields: 10_000,
  maxMutations: 1000,
  maxValues: 100_000,
}
