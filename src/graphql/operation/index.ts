export { DocumentStore } from './document-store.ts'
export { Documents } from './documents.ts'
export { Introspection } from './introspection.ts'
export { type CostLimits, limitComplexity } from './limit-complexity.ts'
export {
  ApolloRequest,
  canonicalKeyOf,
  findOperation,
} from './operation-request.ts'
export { type Operation, Operations, type RequestLimits } from './operations.ts'
export { PersistedQueries } from './persisted-queries.ts'
export { readTrustedDocuments } from './trusted-documents.ts'
