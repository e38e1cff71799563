export { type AllowanceObserver, Allowances } from './allowances.ts'
export type { CacheHint } from './cache-control.ts'
export {
  type Connection,
  DEFAULT_PAGE_SIZE,
  type ListOrder,
  MAX_PAGE_SIZE,
  makeConnection,
  type PageArguments,
} from './connection.ts'
export type { ConstraintErrors, Context } from './context.ts'
export { perRequest } from './entry-loader.ts'
export { addCodes, isOurFault, isUnexpected, MASKED, maskError, toGraphQLError } from './mask-errors.ts'
export { nameMutations } from './name-mutations.ts'
export { createRateLimit, type RateLimit } from './rate-limit.ts'
export { readWritten } from './read-back.ts'
export { type CacheWord, cacheWord, RequestContext, type RequestContextOptions } from './request-context.ts'
