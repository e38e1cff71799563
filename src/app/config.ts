import type { LevelWithSilent } from 'pino'
import type { Address } from '../redis/index.ts'
import { addresses, atLeastZero, number, oneOf, positive, proxies, text, url, whole } from './option-parsers.ts'

/** Every option of a server: the only place that reads the environment. Times are resolved to milliseconds. */
export interface Config {
  readonly port: number
  readonly host: string
  readonly databaseUrl: string | undefined
  readonly databaseReplicaUrl: string | undefined
  readonly databasePoolMax: number
  readonly databaseStatementTimeoutMs: number
  readonly databaseLoadsMax: number | undefined
  readonly databaseLoadsQueue: number
  readonly databaseLoadsWaitMs: number
  readonly databaseWritesMax: number | undefined
  readonly databaseWritesQueue: number
  readonly databaseWritesWaitMs: number
  readonly dataDirectory: string
  readonly redisUrl: string | undefined
  readonly redisReaderUrl: string | undefined
  readonly redisCluster: readonly Address[] | undefined
  readonly redisClusterReads: 'masters' | 'replicas'
  readonly redisSentinels: readonly Address[] | undefined
  readonly redisSentinelName: string
  readonly redisSentinelUsername: string | undefined
  readonly redisSentinelPassword: string | undefined
  readonly redisKeyPrefix: string
  readonly redisTimeoutMs: number
  readonly redisLingerMs: number
  readonly redisBreakerFailures: number
  readonly redisBreakerResetMs: number
  readonly cacheVersion: string
  readonly cacheTtlArticleListMs: number
  readonly cacheTtlArticleMs: number
  readonly cacheTtlUserMs: number
  readonly cacheTtlTagMs: number
  readonly cacheTtlJitter: number
  readonly cacheGraceMs: number
  readonly cacheGraceIfErrorMs: number
  readonly cacheEarlyRefresh: number
  readonly cacheRefreshAheadConcurrency: number
  readonly cacheLoadTimeoutSoftMs: number
  readonly cacheLoadTimeoutMs: number
  readonly cacheLeaseMs: number
  readonly cacheCompressAboveBytes: number
  readonly cacheMaxEntryBytes: number
  readonly cacheMemoryMaxBytes: number
  readonly cacheResponses: 'on' | 'off'
  readonly persistedQueries: 'on' | 'off'
  readonly trustedDocuments: string | undefined
  readonly trustedDocumentsOnly: 'on' | 'off'
  readonly worker: 'on' | 'off'
  readonly workerPort: number | undefined
  readonly queueMaxEntries: number
  readonly queueMaxDead: number
  readonly queueFlushMs: number
  readonly rankArticlesMs: number
  readonly logBeatMs: number
  readonly logKeepRecords: number
  readonly logKeepMs: number
  readonly logSilenceMaxMs: number
  readonly catchUpTimeoutMs: number
  readonly authJwtSecret: string | undefined
  readonly authJwksUrl: string | undefined
  readonly queryMaxComplexity: number
  readonly rateLimitMax: number
  readonly rateLimitWindowSeconds: number
  readonly trustProxy: string | false
  readonly shutdownDelayMs: number
  readonly shutdownTimeoutMs: number
  readonly logLevel: LevelWithSilent
}

/** A variable of the environment: what it is for, what it holds, and what it becomes. */
interface Option<T> {
  readonly about: string
  readonly unit?: string
  readonly default?: string
  readonly secret?: boolean
  /** Throws a sentence that says what is wanted. */
  readonly parse: (text: string) => T
  /** What the option is where it has no value and no default. */
  readonly absent?: T
}

type Options = { readonly [Name in keyof Config]: Option<Config[Name]> & { readonly variable: string } }

export const options: Options = {
  port: { variable: 'PORT', about: 'Where to listen; 0 takes any free port.', default: '4000', parse: whole(0, 65535) },
  host: {
    variable: 'HOST',
    about: 'Address to listen on. Beyond loopback, authentication must be configured.',
    default: '127.0.0.1',
    parse: text,
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    about: 'PostgreSQL primary. Absent: PostgreSQL embedded in the process, in DATA_DIRECTORY.',
    secret: true,
    parse: url('postgres:', 'postgresql:'),
    absent: undefined,
  },
  databaseReplicaUrl: {
    variable: 'DATABASE_REPLICA_URL',
    about: 'PostgreSQL standby to load from. It may lag: what it lacks is read from the primary.',
    secret: true,
    parse: url('postgres:', 'postgresql:'),
    absent: undefined,
  },
  databasePoolMax: {
    variable: 'DATABASE_POOL_MAX',
    about:
      'Connections to each database at most, for loads and writes. Up to three more to the primary follow the log.',
    default: '10',
    parse: whole(1, 1000),
  },
  databaseStatementTimeoutMs: {
    variable: 'DATABASE_STATEMENT_TIMEOUT_MS',
    about: 'How long one SQL statement may run.',
    unit: 'milliseconds',
    default: '5000',
    parse: whole(1, 3_600_000),
  },
  databaseLoadsMax: {
    variable: 'DATABASE_LOADS_MAX',
    about: 'Loads of the cache at a time, on each database. Absent: two less than DATABASE_POOL_MAX.',
    parse: whole(1, 1000),
    absent: undefined,
  },
  databaseLoadsQueue: {
    variable: 'DATABASE_LOADS_QUEUE',
    about: 'Loads that may wait for their turn. What is beyond fails with OVERLOADED.',
    default: '1000',
    parse: whole(0, 1_000_000),
  },
  databaseLoadsWaitMs: {
    variable: 'DATABASE_LOADS_WAIT_MS',
    about: 'How long a load waits for its turn before it fails with OVERLOADED.',
    unit: 'milliseconds',
    default: '1000',
    parse: whole(1, 600_000),
  },
  databaseWritesMax: {
    variable: 'DATABASE_WRITES_MAX',
    about: 'Writes of requests at a time. Absent: two less than DATABASE_POOL_MAX.',
    parse: whole(1, 1000),
    absent: undefined,
  },
  databaseWritesQueue: {
    variable: 'DATABASE_WRITES_QUEUE',
    about: 'Writes that may wait for their turn. What is beyond fails with OVERLOADED.',
    default: '1000',
    parse: whole(0, 1_000_000),
  },
  databaseWritesWaitMs: {
    variable: 'DATABASE_WRITES_WAIT_MS',
    about: 'How long a write waits for its turn before it fails with OVERLOADED.',
    unit: 'milliseconds',
    default: '5000',
    parse: whole(1, 600_000),
  },
  dataDirectory: {
    variable: 'DATA_DIRECTORY',
    about: 'Where embedded PostgreSQL keeps its data.',
    default: '.data',
    parse: text,
  },
  redisUrl: {
    variable: 'REDIS_URL',
    about: 'Redis or Valkey; `rediss://` is TLS. Absent, and none of the others: the memory tier alone.',
    secret: true,
    parse: url('redis:', 'rediss:'),
    absent: undefined,
  },
  redisReaderUrl: {
    variable: 'REDIS_READER_URL',
    about: 'Where Redis is read first. It may lag: what it lacks is read, and everything written, at REDIS_URL.',
    secret: true,
    parse: url('redis:', 'rediss:'),
    absent: undefined,
  },
  redisCluster: {
    variable: 'REDIS_CLUSTER',
    about:
      'Some nodes of a Redis Cluster, as host:port,host:port. Of REDIS_URL only user, password and TLS count then.',
    parse: addresses,
    absent: undefined,
  },
  redisClusterReads: {
    variable: 'REDIS_CLUSTER_READS',
    about:
      '`masters` or `replicas`: where a cluster is read first. Replicas may lag: what one lacks is read at its master.',
    default: 'masters',
    parse: oneOf('masters', 'replicas'),
  },
  redisSentinels: {
    variable: 'REDIS_SENTINELS',
    about:
      'Sentinels that know the primary, as host:port,host:port. Of REDIS_URL only user, password, database and TLS count then.',
    parse: addresses,
    absent: undefined,
  },
  redisSentinelName: {
    variable: 'REDIS_SENTINEL_NAME',
    about: 'What the sentinels call the primary.',
    default: 'mymaster',
    parse: text,
  },
  redisSentinelUsername: {
    variable: 'REDIS_SENTINEL_USERNAME',
    about: 'Who to be for the sentinels.',
    parse: text,
    absent: undefined,
  },
  redisSentinelPassword: {
    variable: 'REDIS_SENTINEL_PASSWORD',
    about: 'The password of the sentinels.',
    secret: true,
    parse: text,
    absent: undefined,
  },
  redisKeyPrefix: {
    variable: 'REDIS_KEY_PREFIX',
    about: 'Begins every key and channel in Redis.',
    default: 'stet:',
    parse: text,
  },
  redisTimeoutMs: {
    variable: 'REDIS_TIMEOUT_MS',
    about: 'How long Redis may take to answer before a read goes on without it.',
    unit: 'milliseconds',
    default: '200',
    parse: whole(1, 60_000),
  },
  redisLingerMs: {
    variable: 'REDIS_LINGER_MS',
    about: 'How long what was filled waits for a read to travel to Redis with, before it travels alone.',
    unit: 'milliseconds',
    default: '10',
    parse: whole(0, 60_000),
  },
  redisBreakerFailures: {
    variable: 'REDIS_BREAKER_FAILURES',
    about: 'After how many failures in a row, time-outs among them, a Redis server is left alone.',
    default: '5',
    parse: whole(1, 1_000_000),
  },
  redisBreakerResetMs: {
    variable: 'REDIS_BREAKER_RESET_MS',
    about: 'How long it is left alone before one probe finds out whether it is well again; give or take a quarter.',
    unit: 'milliseconds',
    default: '1000',
    parse: whole(1, 600_000),
  },
  cacheVersion: {
    variable: 'CACHE_VERSION',
    about: 'Part of every key: change it, and nothing that was cached before is read.',
    default: '1',
    parse: text,
  },
  cacheTtlArticleListMs: {
    variable: 'CACHE_TTL_ARTICLE_LIST',
    about: 'Time to live of lists, counts and view counts of articles.',
    unit: 'seconds',
    default: '60',
    parse: positive(1000),
  },
  cacheTtlArticleMs: {
    variable: 'CACHE_TTL_ARTICLE',
    about: 'Time to live of articles.',
    unit: 'seconds',
    default: '300',
    parse: positive(1000),
  },
  cacheTtlUserMs: {
    variable: 'CACHE_TTL_USER',
    about: 'Time to live of users.',
    unit: 'seconds',
    default: '600',
    parse: positive(1000),
  },
  cacheTtlTagMs: {
    variable: 'CACHE_TTL_TAG',
    about: 'Time to live of tags.',
    unit: 'seconds',
    default: '300',
    parse: positive(1000),
  },
  cacheTtlJitter: {
    variable: 'CACHE_TTL_JITTER',
    about: 'How far each time to live is shortened at random: 0.1 is up to 10 %.',
    default: '0.1',
    parse: number('a number from 0 to below 1', (value) => value >= 0 && value < 1),
  },
  cacheGraceMs: {
    variable: 'CACHE_GRACE',
    about: 'How long what is past its time to live, and still stands, is served while it is refreshed.',
    unit: 'seconds',
    default: '60',
    parse: atLeastZero(1000),
  },
  cacheGraceIfErrorMs: {
    variable: 'CACHE_GRACE_IF_ERROR',
    about: 'How long it is served where it cannot be loaded, or only slowly. 0, or more than CACHE_GRACE.',
    unit: 'seconds',
    default: '3600',
    parse: atLeastZero(1000),
  },
  cacheEarlyRefresh: {
    variable: 'CACHE_EARLY_REFRESH',
    about: 'How readily entries are refreshed before they turn stale: more is earlier, 0 is never.',
    default: '1',
    parse: atLeastZero(),
  },
  cacheRefreshAheadConcurrency: {
    variable: 'CACHE_REFRESH_AHEAD_CONCURRENCY',
    about: 'How many of the most used entries are refreshed at a time, before they turn stale. 0: none are.',
    default: '4',
    parse: whole(0, 1000),
  },
  cacheLoadTimeoutSoftMs: {
    variable: 'CACHE_LOAD_TIMEOUT_SOFT_MS',
    about: 'How long a read waits for a load before it is answered with what is stale, where there is something.',
    unit: 'milliseconds',
    default: '500',
    parse: whole(1, 600_000),
  },
  cacheLoadTimeoutMs: {
    variable: 'CACHE_LOAD_TIMEOUT_MS',
    about: 'How long it waits in all before it fails with LOAD_TIMEOUT. More than CACHE_LOAD_TIMEOUT_SOFT_MS.',
    unit: 'milliseconds',
    default: '10000',
    parse: whole(1, 600_000),
  },
  cacheLeaseMs: {
    variable: 'CACHE_LEASE_MS',
    about: 'How long one node may keep the others from loading the same entry; none waits longer than twice that.',
    unit: 'milliseconds',
    default: '1000',
    parse: whole(0, 60_000),
  },
  cacheCompressAboveBytes: {
    variable: 'CACHE_COMPRESS_ABOVE_BYTES',
    about: 'Entries larger than that are compressed in Redis.',
    unit: 'bytes',
    default: '4096',
    parse: whole(1, 2 ** 30),
  },
  cacheMaxEntryBytes: {
    variable: 'CACHE_MAX_ENTRY_BYTES',
    about: 'Entries larger than that, in memory, are served and not stored.',
    unit: 'bytes',
    default: '2097152',
    parse: whole(1, 2 ** 30),
  },
  cacheMemoryMaxBytes: {
    variable: 'CACHE_MEMORY_MAX_MB',
    about: 'Size of the memory tier.',
    unit: 'megabytes',
    default: '64',
    parse: (value) => Math.ceil(positive(1024 * 1024)(value)),
  },
  cacheResponses: {
    variable: 'CACHE_RESPONSES',
    about: '`on` or `off`: whether whole answers are kept, as `@cacheControl` in the schema says.',
    default: 'on',
    parse: oneOf('on', 'off'),
  },
  persistedQueries: {
    variable: 'PERSISTED_QUERIES',
    about: '`on` or `off`: whether queries may be sent by their hash alone, once a node was told what it stands for.',
    default: 'on',
    parse: oneOf('on', 'off'),
  },
  trustedDocuments: {
    variable: 'TRUSTED_DOCUMENTS',
    about:
      'A manifest: a JSON file of documents that may be sent by their ids. `serve --trusted-documents` says the same.',
    parse: text,
    absent: undefined,
  },
  trustedDocumentsOnly: {
    variable: 'TRUSTED_DOCUMENTS_ONLY',
    about: '`on` or `off`: whether nothing but the documents in TRUSTED_DOCUMENTS is answered, whoever asks.',
    default: 'off',
    parse: oneOf('on', 'off'),
  },
  worker: {
    variable: 'WORKER',
    about: '`on` or `off`: whether `serve` also does what `stet worker` does. Without REDIS_URL it must.',
    default: 'on',
    parse: oneOf('on', 'off'),
  },
  workerPort: {
    variable: 'WORKER_PORT',
    about:
      'Where `stet worker` answers /metrics, /healthz and /readyz, on HOST; 0 takes any free port. Absent: nowhere.',
    parse: whole(0, 65535),
    absent: undefined,
  },
  queueMaxEntries: {
    variable: 'QUEUE_MAX_ENTRIES',
    about: 'How many views may wait to be counted before more are refused with OVERLOADED.',
    default: '100000',
    parse: whole(1, 100_000_000),
  },
  queueMaxDead: {
    variable: 'QUEUE_MAX_DEAD',
    about: 'How many dead letters are kept. Beyond it the oldest are dropped, counted and logged.',
    default: '10000',
    parse: whole(1, 100_000_000),
  },
  queueFlushMs: {
    variable: 'QUEUE_FLUSH_MS',
    about: 'How often what waits is written to the database.',
    unit: 'milliseconds',
    default: '1000',
    parse: whole(1, 60_000),
  },
  rankArticlesMs: {
    variable: 'RANK_ARTICLES_EVERY',
    about: 'How often the order MOST_VIEWED is made anew: its lists fall no more often than that.',
    unit: 'seconds',
    default: '60',
    parse: positive(1000),
  },
  logBeatMs: {
    variable: 'LOG_BEAT_MS',
    about:
      "How long after its last look at the log each node looks by itself: bounds how long somebody else's write goes unnoticed.",
    unit: 'milliseconds',
    default: '50',
    parse: whole(1, 60_000),
  },
  logKeepRecords: {
    variable: 'LOG_KEEP_RECORDS',
    about: 'The log keeps at least this many records.',
    default: '100000',
    parse: whole(1, 100_000_000),
  },
  logKeepMs: {
    variable: 'LOG_KEEP_MINUTES',
    about: 'The log keeps records at least this long.',
    unit: 'minutes',
    default: '60',
    parse: positive(60_000),
  },
  logSilenceMaxMs: {
    variable: 'LOG_SILENCE_MAX',
    about:
      'How long a node that cannot read the log goes on answering from what it holds, marked stale, before it refuses. 0: for ever.',
    unit: 'seconds',
    default: '3600',
    parse: atLeastZero(1000),
  },
  catchUpTimeoutMs: {
    variable: 'CATCH_UP_TIMEOUT_MS',
    about: 'How long a request with Stet-As-Of waits for this node to catch up.',
    unit: 'milliseconds',
    default: '2000',
    parse: whole(1, 60_000),
  },
  authJwtSecret: {
    variable: 'AUTH_JWT_SECRET',
    about: 'Verifies bearer tokens (HS256). Absent, and no AUTH_JWKS_URL: demo mode.',
    secret: true,
    parse: (value) => {
      if (value.length < 16) throw new Error('at least 16 characters')
      return value
    },
    absent: undefined,
  },
  authJwksUrl: {
    variable: 'AUTH_JWKS_URL',
    about: 'Where the keys that verify bearer tokens are published.',
    parse: url('http:', 'https:'),
    absent: undefined,
  },
  queryMaxComplexity: {
    variable: 'QUERY_MAX_COMPLEXITY',
    about: 'How many objects one query may ask for, multiplied down its lists.',
    default: '20000',
    parse: whole(1, 100_000_000),
  },
  rateLimitMax: {
    variable: 'RATE_LIMIT_MAX',
    about: 'How many views a user, or else an address, may record within RATE_LIMIT_WINDOW_SECONDS.',
    default: '120',
    parse: whole(1, 1_000_000_000),
  },
  rateLimitWindowSeconds: {
    variable: 'RATE_LIMIT_WINDOW_SECONDS',
    about: 'After how long that count begins anew.',
    unit: 'seconds',
    default: '60',
    parse: whole(1, 86_400),
  },
  trustProxy: {
    variable: 'TRUST_PROXY',
    about: 'Proxies whose X-Forwarded-For says where a request came from: addresses or networks, separated by commas.',
    parse: proxies,
    absent: false,
  },
  shutdownDelayMs: {
    variable: 'SHUTDOWN_DELAY_MS',
    about:
      'How long /readyz says no after SIGTERM before the server stops accepting: time for a load balancer to see it.',
    unit: 'milliseconds',
    default: '0',
    parse: whole(0, 600_000),
  },
  shutdownTimeoutMs: {
    variable: 'SHUTDOWN_TIMEOUT_MS',
    about:
      'How long requests in flight may then take to finish, before they are cut off; one second later statements are.',
    unit: 'milliseconds',
    default: '10000',
    parse: whole(0, 600_000),
  },
  logLevel: {
    variable: 'LOG_LEVEL',
    about: 'How much is logged.',
    default: 'info',
    parse: oneOf('silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'),
  },
}

/** Reads the options. Throws one line that names the variable, what it wants and what it got. An empty variable counts as absent. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, readOption(option, environment)]),
  ) as unknown as Config
  checkTogether(config)
  return Object.freeze(config)
}

function checkTogether(config: Config): void {
  const refuse = (wrong: boolean, one: keyof Config, wanted: string, other: keyof Config) => {
    if (wrong) throw new ConfigError(`${options[one].variable} must be ${wanted} ${options[other].variable}.`)
  }
  const { redisUrl, redisReaderUrl, redisCluster, redisSentinels } = config
  refuse(Boolean(redisCluster && redisSentinels), 'redisSentinels', 'absent beside', 'redisCluster')
  refuse(Boolean(redisCluster && redisReaderUrl), 'redisReaderUrl', 'absent beside', 'redisCluster')
  refuse(Boolean(redisReaderUrl && !redisUrl && !redisSentinels), 'redisReaderUrl', 'absent without', 'redisUrl')
  const { cacheGraceMs, cacheGraceIfErrorMs, cacheLoadTimeoutSoftMs, cacheLoadTimeoutMs } = config
  const pointless = cacheGraceIfErrorMs > 0 && cacheGraceIfErrorMs < cacheGraceMs
  refuse(pointless, 'cacheGraceIfErrorMs', '0, or no less than', 'cacheGraceMs')
  if (config.worker === 'off' && !hasRedis(config)) {
    throw new ConfigError('WORKER must be on where REDIS_URL is not set: nobody else can count the views of this node.')
  }
  if (config.trustedDocumentsOnly === 'on' && config.trustedDocuments === undefined) {
    throw new ConfigError(
      'TRUSTED_DOCUMENTS_ONLY must be off where TRUSTED_DOCUMENTS is not set: nothing would be answered.',
    )
  }
  refuse(cacheLoadTimeoutSoftMs >= cacheLoadTimeoutMs, 'cacheLoadTimeoutMs', 'more than', 'cacheLoadTimeoutSoftMs')
}

/** In any of its forms: without it the memory tier is alone, and queues are in the process. */
export const hasRedis = ({ redisUrl, redisCluster, redisSentinels }: Config): boolean =>
  redisUrl !== undefined || redisCluster !== undefined || redisSentinels !== undefined

function readOption(option: Options[keyof Options], environment: NodeJS.ProcessEnv): unknown {
  const given = environment[option.variable] || option.default
  if (given === undefined) return option.absent
  try {
    return option.parse(given)
  } catch (error) {
    const secret = option.secret || given.includes('@')
    const got = secret ? 'what it holds (not shown: it may be secret)' : JSON.stringify(given)
    throw new ConfigError(`${option.variable} must be ${(error as Error).message}, not ${got}.`)
  }
}

/** The environment holds a value that makes no sense. */
export class ConfigError extends Error {}
