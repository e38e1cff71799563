import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AnswerFinder, answerMaker, Explainer } from '../answers/index.ts'
import type { Cache, Ledger } from '../cache/index.ts'
import { loadSampleContent } from '../content/index.ts'
import { migrate, whileEmpty } from '../database/index.ts'
import { Api } from '../graphql/index.ts'
import {
  DocumentStore,
  Documents,
  Introspection,
  Operations,
  type RequestLimits,
  readTrustedDocuments,
} from '../graphql/operation/index.ts'
import { type AllowanceObserver, Allowances } from '../graphql/resolving/index.ts'
import { cdnPolicyOf, createServer, createStatusServer } from '../http/index.ts'
import { Authenticator } from '../identity/index.ts'
import { startPruner } from '../invalidation/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { type OnClose, openTogether } from '../kernel/open-together.ts'
import { PROJECT } from '../kernel/project.ts'
import { Metrics } from '../metrics/index.ts'
import type { Config } from './config.ts'
import { warnOf } from './log-events.ts'
import { memoryBounds } from './memory-bounds.ts'
import { type Engine, linkChecks, openEngine } from './open-engine.ts'
import { openRooms } from './open-rooms.ts'
import { replicaHealth } from './replica-health.ts'
import { type DemoTokens, makeDemoTokens, tokenKeys, tokenRules } from './token-keys.ts'
import { watchSecrets } from './watch-secrets.ts'

export interface StartOptions {
  readonly config: Config
  readonly logger: Logger
  /** Whether an empty database is filled with the sample content. Default: false. */
  readonly sample?: boolean
}

export interface Node {
  /** Where it listens, such as http://127.0.0.1:4000. */
  readonly url: string
  /** Where its metrics are. Undefined: nowhere. */
  readonly metricsUrl: string | undefined
  readonly hasPlayground: boolean
  /** Where its data is, in words. */
  readonly where: string
  /** Undefined unless in demo mode. */
  readonly demoTokens: DemoTokens | undefined
  readonly cache: Cache
  readonly ledger: Ledger
  /** Applies now what waits in its queues. */
  drain(): Promise<void>
  /** Resolves once Redis has every entry that was filled. */
  flush(): Promise<void>
  /** Stops accepting, lets requests in flight finish, and closes every client. */
  close(): Promise<void>
}

/**
 * Builds a node and starts it: the engine, the rooms on it, GraphQL, HTTP. Resolves once it listens.
 * If something fails on the way, everything that was opened is closed, and it rejects.
 */
export function startNode(options: StartOptions): Promise<Node> {
  return openTogether((onClose) => open(options, onClose))
}

async function open({ config, logger, sample }: StartOptions, onClose: OnClose): Promise<Omit<Node, 'close'>> {
  const keys = tokenKeys(config)
  const limits = requestLimits(config)
  const trusted =
    config.trustedDocuments === undefined ? undefined : readTrustedDocuments(config.trustedDocuments, limits)
  const bounds = memoryBounds(config)
  for (const warning of bounds.warnings) logger.warn(warning)
  const metrics = new Metrics()
  const engine = await openEngine({
    config,
    logger,
    observer: metrics,
    prepare: ({ unhurried }) =>
      unhurried(async (primary) => {
        await migrate(primary, {
          schema: config.databaseSchema,
          onApply: (name) => logger.info({ migration: name }, 'Migrated'),
        })
        if (sample) await whileEmpty(primary, loadSampleContent)
      }),
  })
  onClose(engine.close)
  const { cache, databases, flush, follower, ledger, links, redis, triggers } = engine
  await triggers.start()
  const { database } = databases
  const opened = openRooms({ config, logger, engine, observer: metrics })
  onClose(opened.close)
  const { rooms, userRows, worker, encoded, responses, persistedQueries } = opened
  metrics.watch({ ledger, database, follower, triggers, worker, links })
  if (config.worker === 'on') {
    worker.start()
    onClose(() => worker.stop())
  }
  startUpkeep({ config, logger, engine, onRedisError: metrics.onRedisError }, onClose)

  // GraphQL
  const playground = config.playground ?? (keys.demo ? 'on' : 'off')
  const introspection = config.introspection ?? playground
  const documents = new DocumentStore({ maxBytes: bounds.documents })
  const api = new Api({
    rooms,
    maxCost: config.queryMaxComplexity,
    limits: { maxErrors: config.queryMaxErrors, maxBytes: config.answerMaxBytes, timeoutMs: config.queryTimeoutMs },
    introspection: new Introspection(introspection),
    documents,
    maxPlannedFields: bounds.plannedFields,
    onPriced: metrics.onPriced,
    onUnexpected: (error, requestId) => logger.error({ err: error, requestId }, 'A request failed'),
  })
  await api.start()
  onClose(() => api.stop())

  // HTTP
  const authenticator = new Authenticator({
    keys,
    rules: tokenRules(config),
    users: userRows,
    failures: { max: config.authMaxFailures, windowMs: config.rateLimitWindowMs },
    onRefused: metrics.onTokenRefused,
  })
  onClose(watchSecrets({ config, logger, authenticator }))
  const operations = new Operations(limits, api.schema, {
    keepsIntrospection: introspection === 'on',
    maxBytes: bounds.operations,
    documents,
  })
  const trustedOnly = config.trustedDocumentsOnly === 'on'
  const persisted = config.persistedQueries === 'on' && !trustedOnly ? persistedQueries : undefined
  const demoTokens = await makeDemoTokens(config, keys, database)
  const kept = config.cacheResponses === 'on' ? responses : undefined
  const make = answerMaker({ api, cache, database, follower, ledger })
  const { metricsPort, metricsToken } = config
  const app = await createServer({
    graphql: {
      api,
      operations,
      documents: new Documents({ persisted, trusted, trustedOnly }),
      kept,
      finder: new AnswerFinder(kept, make),
      make,
      encoded,
      explainer: new Explainer({ cache, ledger, follower, responses: kept, forEveryone: keys.demo }),
      authenticator,
      allowances: openAllowances(config, redis, metrics.allowances),
      follower,
      triggers,
      ledger,
      cdn:
        config.cdnMaxAgeMs === undefined
          ? undefined
          : cdnPolicyOf(config.cdnMaxAgeMs, config.cacheGraceMs, config.cacheGraceIfErrorMs),
      catchUpTimeoutMs: config.catchUpTimeoutMs,
      logSilenceMaxMs: config.logSilenceMaxMs,
      onAnswer: metrics.onAnswer,
    },
    limits: {
      maxConnections: config.connectionsMax,
      maxConnectionsPerAddress: config.connectionsMaxPerAddress,
      maxBodyBytes: config.requestMaxBytes,
      maxBodyBytesOfVisitors: config.requestMaxBytesOfVisitors,
      bodies: { maxBytes: bounds.bodies, maxBytesPerAddress: config.requestMaxBytesPerAddress },
      unread: { maxBytes: bounds.unread, maxBytesPerAddress: config.answerMaxBytesUnreadPerAddress },
      headTimeoutMs: config.requestHeadTimeoutMs,
      requestTimeoutMs: config.requestTimeoutMs,
    },
    corsOrigins: config.corsOrigins ?? (keys.demo ? 'loopback' : undefined),
    trustProxy: config.trustProxy ?? false,
    shutdownDelayMs: config.shutdownDelayMs,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    metrics,
    metricsFor: metricsPort === undefined && (metricsToken || keys.demo) ? { token: metricsToken } : undefined,
    health: {
      postgresql: { required: true, check: () => databases.log.query('select 1') },
      ...replicaHealth(database.replica),
      ...(redis && { redis: { required: false, check: () => redis.client.ping() } }),
      ...linkChecks(links),
      triggers: { required: false, check: () => triggers.check() },
    },
    playground:
      playground === 'off'
        ? undefined
        : {
            directory: fileURLToPath(new URL('dist/playground', PROJECT)),
            version,
            ...(demoTokens && { demoToken: demoTokens.admin }),
          },
    logger,
  })
  onClose(() => app.close())
  // Closed first: whatever a statement waits for, the end then comes in time.
  onClose(() => databases.cutAfter(config.shutdownDelayMs + config.shutdownTimeoutMs + LAST_WRITES_MS))
  const url = await app.listen({ port: config.port, host: config.host })
  let metricsUrl = metricsToken || keys.demo ? `${url}/metrics` : undefined
  if (metricsPort !== undefined) {
    const server = createStatusServer({ metrics, metricsToken, logger })
    onClose(() => server.close())
    metricsUrl = `${await server.listen({ port: metricsPort, host: config.host })}/metrics`
  }
  return {
    url,
    metricsUrl,
    hasPlayground: playground !== 'off',
    where: databases.where,
    demoTokens,
    cache,
    ledger,
    drain: () => worker.drain(),
    flush,
  }
}

interface Upkeep extends Pick<StartOptions, 'config' | 'logger'> {
  readonly engine: Engine
  readonly onRedisError: (error: Error) => void
}

function openAllowances(config: Config, redis: Engine['redis'], observer: AllowanceObserver): Allowances | undefined {
  const { rateLimitMode: mode, rateLimitCostMax: max, rateLimitCostPerSecond: perSecond } = config
  const prefix = `${config.redisKeyPrefix}rate:cost:`
  return mode === 'off' ? undefined : new Allowances({ mode, max, perSecond, redis, prefix, observer })
}

/** What a request may hold, before it is looked at what it would cost. */
const requestLimits = (config: Config): RequestLimits => ({
  maxBytes: config.queryMaxBytes,
  maxTokens: config.queryMaxTokens,
  maxDepth: config.queryMaxDepth,
  maxFields: config.queryMaxFields,
  maxAliases: config.queryMaxAliases,
  maxRootFields: config.queryMaxRootFields,
  maxMutations: config.queryMaxMutations,
  maxValues: config.requestMaxValues,
})

/** Prunes the log, keeps warm what is used most, and lists that in Redis for `stet cache warm` after the next deployment. */
function startUpkeep({ config, logger, engine, onRedisError }: Upkeep, onClose: OnClose): void {
  const { cache, log, redis } = engine
  const { logKeepRecords: keepRecords, logKeepMs: keepMs, cacheRefreshAheadConcurrency: concurrency } = config
  onClose(startPruner({ log, keepRecords, keepMs, onError: warnOf(logger, 'The log could not be pruned') }))
  if (concurrency > 0) onClose(cache.startRefresher({ concurrency }))
  if (!redis) return
  const key = `${config.redisKeyPrefix}hot:${randomUUID()}`
  const timer = setInterval(() => {
    const hottest = cache.hottest().map(({ kind, key, count }) => [kind, key, count])
    if (hottest.length === 0) return
    const text = JSON.stringify(hottest)
    redis.each([key], (client) => client.set(key, text, 'EX', HOTTEST_KEPT_SECONDS)).catch(onRedisError)
  }, HOTTEST_EVERY_MS)
  timer.unref()
  onClose(() => clearInterval(timer))
}

const HOTTEST_EVERY_MS = 10_000
/** How long the list outlives the node: as long as a deployment may take. */
const HOTTEST_KEPT_SECONDS = 3600

/** Time for what requests leave behind when they are cut off: views that wait in this process. */
const LAST_WRITES_MS = 1000

const { version } = JSON.parse(readFileSync(new URL('package.json', PROJECT), 'utf8')) as { version: string }
