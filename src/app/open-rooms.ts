import { EncodedAnswers, KeptAnswers } from '../answers/index.ts'
import { adminRoom } from '../domain/admin/index.ts'
import { articlesRoom, MarkdownRenderer } from '../domain/articles/index.ts'
import { tagsRoom } from '../domain/tags/index.ts'
import { usersRoom } from '../domain/users/index.ts'
import { PersistedQueries } from '../graphql/operation/index.ts'
import { createRateLimit } from '../graphql/resolving/index.ts'
import { codeOf } from '../kernel/code-of.ts'
import type { Logger } from '../kernel/logger.ts'
import { Worker, type WorkerObserver } from '../worker/index.ts'
import type { Config } from './config.ts'
import { logWorker, warnOf } from './log-events.ts'
import type { Engine } from './open-engine.ts'

export interface OpenRoomsOptions {
  readonly config: Config
  readonly logger: Logger
  readonly engine: Engine
  readonly observer?: { readonly worker?: WorkerObserver }
}

/**
 * Opens what this API puts on top of an engine: every kind of entry that it caches, and the worker that does, once it is
 * started, what the rooms leave for later. Once for each engine, because a kind can be declared only once. Starts nothing.
 */
export function openRooms({ config, logger, engine, observer = {} }: OpenRoomsOptions) {
  const { cache, follower, ledger, redis } = engine
  const { database } = engine.databases
  const onSettleError = warnOf(logger, 'The log could not be read')
  const worker = new Worker({
    primary: database.primary,
    redis,
    prefix: `${config.redisKeyPrefix}queue:`,
    maxEntries: config.queueMaxEntries,
    maxDead: config.queueMaxDead,
    everyMs: config.queueFlushMs,
    onCommit: () => follower.settle().catch(onSettleError),
    observer: logWorker(logger, observer.worker),
  })
  const users = usersRoom({ cache, database, ttlMs: config.cacheTtlUserMs })
  const tags = tagsRoom({ cache, database, ttlMs: config.cacheTtlTagMs })
  const renderer = new MarkdownRenderer({
    maxMs: config.bodyRenderMaxMs,
    onFailure: warnOf(logger, 'A body could not be rendered: its text is shown instead'),
  })
  const articles = articlesRoom({
    renderer,
    cache,
    database,
    users: users.entries,
    tags: tags.entries,
    ttlMs: config.cacheTtlArticleMs,
    listTtlMs: config.cacheTtlArticleListMs,
    worker,
    rankEveryMs: config.rankArticlesMs,
    limitViews: createRateLimit({
      redis,
      prefix: `${config.redisKeyPrefix}rate:views`,
      max: config.rateLimitMax,
      windowSeconds: config.rateLimitWindowMs / 1000,
    }),
  })
  return {
    // Say who is a user, and with which role.
    userRows: users.rows,
    rooms: [users, tags, articles, adminRoom({ ledger })],
    worker,
    responses: new KeptAnswers({
      cache,
      madeBy: codeOf('app/start-node.ts'),
      adminsShare: config.queryMaxComplexity.author === config.queryMaxComplexity.admin,
    }),
    encoded: new EncodedAnswers(cache),
    persistedQueries: new PersistedQueries(cache),
    close: () => renderer.close(),
  }
}
