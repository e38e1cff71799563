import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Explainer } from '../answers/index.ts'
import { type Cache, Ledger } from '../cache/index.ts'
import { loadSampleContent } from '../content/index.ts'
import { migrate, whileEmpty } from '../database/index.ts'
import { Api } from '../graphql/index.ts'
import { Documents, Operations, readTrustedDocuments } from '../graphql/operation/index.ts'
import { createServer } from '../http/index.ts'
import { Authenticator } from '../identity/index.ts'
import { startPruner } from '../invalidation/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { openTogether } from '../kernel/open-together.ts'
import { PROJECT } from '../kernel/project.ts'
import { sparingly } from '../kernel/sparingly.ts'
import { Metrics } from '../metrics/index.ts'
import type { Config } from './config.ts'
import { openEngine } from './open-engine.ts'
import { startRememberingHottest } from './remember-hottest.ts'
import { type DemoTokens, makeDemoTokens, tokenKeys } from './token-keys.ts'
import { tuneV8 } from './tune-v8.ts'

export interface StartOptions {
  readonly config: Config
  readonly logger: Logger
  /** Fill an empty database with the sample content. */
  readonly sample?: boolean
}

export interface Node {
  /** Where it listens. */
  readonly url: string
  /** Where its data is. */
  readonly where: string
  /** Ready-made, in demo mode. */
  readonly demoTokens: DemoTokens | undefined
  readonly cache: Cache
  readonly ledger: Ledger
  /** Applies what waits in its queues now. */
  drain(): Promise<void>
  /** Resolves once what was filled is in Redis too. */
  flush(): Promise<void>
  /** Stops accepting, lets requests in flight finish, and closes every client. */
  close(): Promise<void>
}

/** Builds a node and starts it. The only place that wires one: its engine in `engine.ts`, what is on top of it here. */
export function startNode(options: StartOptions): Promise<Node> {
  tuneV8()
  return openTogether((onClose) => wire(options, onClose))
}

async function wire(
  { config, logger, sample }: StartOptions,
  onClose: (closer: () => unknown) => void,
): Promise<Omit<Node, 'close'>> {
  const keys = tokenKeys(config)
  const trusted = config.trustedDocuments === undefined ? undefined : readTrustedDocuments(config.trustedDocuments)
  const ledger = new Ledger()
  const metrics = new Metrics(ledger)

  // The engine
  const engine = await openEngine({
    config,
    logger,
    ledger,
    observer: metrics,
    prepare: ({ unhurried }) =>
      unhurried(async (primary) => {
        await migrate(primary, (name) => logger.info({ migration: name }, 'Migrated'))
        if (sample) await whileEmpty(primary, loadSampleContent)
      }),
  })
  onClose(engine.close)
  const { cache, databases, encoded, flush, follower, log, redis, responses, rooms, worker } = engine
  const { database } = databases
  metrics.watchDatabase(database)
  metrics.watchFollower(follower)
  const { logKeepRecords: keepRecords, logKeepMs: keepMs } = config
  const onError = sparingly((err, untold) => logger.warn({ err, untold }, 'The log could not be pruned'))
  onClose(startPruner({ log, keepRecords, keepMs, onError }))

  // What was left for later
  metrics.watchQueues(() => worker.states())
  if (config.worker === 'on') {
    worker.start()
    onClose(() => worker.stop())
  }

  // What is used most stays warm, and is remembered
  if (config.cacheRefreshAheadConcurrency > 0) {
    onClose(cache.startRefresher({ concurrency: config.cacheRefreshAheadConcurrency }))
  }
  if (redis) {
    const prefix = `${config.redisKeyPrefix}hot:`
    onClose(startRememberingHottest({ cache, redis, prefix, onError: metrics.onRedisError }))
  }

  // GraphQL
  const api = new Api({
    rooms,
    ledger,
    maxComplexity: config.queryMaxComplexity,
    onUnexpected: (error, requestId) => logger.error({ err: error, requestId }, 'A request failed'),
  })
  await api.start()
  onClose(() => api.stop())

  // HTTP
  const operations = new Operations()
  const trustedOnly = config.trustedDocumentsOnly === 'on'
  const persisted = config.persistedQueries === 'on' && !trustedOnly ? engine.persistedQueries : undefined
  const demoTokens = await makeDemoTokens(keys, database)
  const kept = config.cacheResponses === 'on' ? responses : undefined
  const app = await createServer({
    graphql: {
      api,
      operations,
      documents: new Documents({ operations, persisted, trusted, trustedOnly }),
      responses: kept,
      encoded,
      explainer: new Explainer({ cache, ledger, follower, responses: kept, forEveryone: keys.demo }),
      authenticator: new Authenticator(keys),
      database,
      follower,
      ledger,
      catchUpTimeoutMs: config.catchUpTimeoutMs,
      logSilenceMaxMs: config.logSilenceMaxMs,
      onAnswer: metrics.onAnswer,
    },
    trustProxy: config.trustProxy ?? false,
    shutdownDelayMs: config.shutdownDelayMs,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    metrics,
    health: {
      postgresql: { required: true, check: () => databases.log.query('select 1') },
      ...(redis && { redis: { required: false, check: () => redis.client.ping() } }),
    },
    playground: {
      directory: fileURLToPath(new URL('dist/playground', PROJECT)),
      version,
      ...(demoTokens && { demoToken: demoTokens.admin }),
    },
    logger,
  })
  onClose(() => app.close())
  // First of all: whatever a statement waits for, the end comes in time.
  onClose(() => databases.cutAfter(config.shutdownDelayMs + config.shutdownTimeoutMs + LAST_WRITES_MS))
  const url = await app.listen({ port: config.port, host: config.host })
  return { url, where: databases.where, demoTokens, cache, ledger, drain: () => worker.drain(), flush }
}

/** For what requests leave behind when they are cut off: views that wait in this process. */
const LAST_WRITES_MS = 1000

const { version } = JSON.parse(readFileSync(new URL('package.json', PROJECT), 'utf8')) as { version: string }
