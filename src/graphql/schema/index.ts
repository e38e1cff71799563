export { type FieldHint, fieldHints } from './cache-hint.ts'
export { dateTime } from './date-time.ts'
export { fieldPrices } from './field-prices.ts'
export { mergeResolvers } from './merge-resolvers.ts'
export type { Article, Tag, User } from './models.ts'
export { nodeResolvers } from './node-resolvers.ts'
export { readSchema } from './read-schema.ts'
export type {
  ArticleFilter,
  ArticleOrder,
  ArticleStatus,
  CreateArticleInput,
  CreateTagInput,
  CreateUserInput,
  InvalidateCachePayload,
  InvalidationMode,
  MutationResolvers,
  Resolvers,
  UpdateArticleInput,
  UpdateTagInput,
  UpdateUserInput,
} from './resolvers.generated.ts'
export type { Room } from './room.ts'
