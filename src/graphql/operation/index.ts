export { Documents } from './documents.ts'
export { type Asked, limitComplexity } from './limit-complexity.ts'
export {
  ApolloRequest,
  canonicalKeyOf,
  findOperation,
} from './operation-request.ts'
export { MAX_TOKENS, type Operation, Operations } from './operations.ts'
export { PersistedQueries } from './persisted-queries.ts'
export { readTrustedDocuments } from './trusted-documents.ts'
