import type { Resolvers } from './resolvers.generated.ts'

/** Several rooms may add fields to one type. */
export function mergeResolvers(all: readonly Resolvers[]): Resolvers {
  const merged: Record<string, object> = {}
  for (const resolvers of all) {
    for (const [type, fields] of Object.entries(resolvers)) {
      merged[type] = type === 'DateTime' ? fields : { ...merged[type], ...fields }
    }
  }
  return merged
}
