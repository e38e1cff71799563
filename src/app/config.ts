import { readFileSync } from 'node:fs'
import { HIDDEN, hideCredentials } from '../kernel/hide-credentials.ts'
import {
  addresses,
  atLeastZero,
  byRole,
  bytes,
  megabytes,
  milliseconds,
  minutes,
  names,
  namesOrAny,
  number,
  oneOf,
  origins,
  type Parser,
  positive,
  proxies,
  schemaName,
  seconds,
  signingSecrets,
  text,
  url,
  WrongSecret,
  whole,
} from './option-parsers.ts'

const onOrOff = oneOf('on', 'off')
const onAdminOrOff = oneOf('on', 'admin', 'off')

/** Every option of a server, in the order of `docs/reference.md`. An option's parser decides its type and its unit. */
export const options = {
  port: option('PORT', whole(0, 65535), { default: '4000', about: 'Where to listen; 0 takes any free port.' }),
  host: option('HOST', text, {
    default: '127.0.0.1',
    about: 'Address to listen on. Beyond loopback, authentication must be configured.',
  }),
  databaseUrl: option('DATABASE_URL', url('postgres:', 'postgresql:'), {
    secret: true,
    about: 'PostgreSQL primary. Absent: PostgreSQL embedded in the process, in DATA_DIRECTORY.',
  }),
  databaseReplicaUrl: option('DATABASE_REPLICA_URL', url('postgres:', 'postgresql:'), {
    secret: true,
    about: 'PostgreSQL standby to load from. It may lag: what it lacks is read from the primary.',
  }),
  databaseReplicaTimeoutMs: option('DATABASE_REPLICA_TIMEOUT_MS', milliseconds(1, 3_600_000), {
    default: '500',
    about: 'How long a load from the standby may take before the primary is asked; and how long it waits for its turn.',
  }),
  databaseSchema: option('DATABASE_SCHEMA', schemaName, {
    default: 'public',
    about: "Schema of the content's tables, made if absent. The role's own search_path does not matter.",
  }),
  databasePoolMax: option('DATABASE_POOL_MAX', whole(1, 1000), {
    default: '10',
    about:
      'Connections to each database at most, for loads and writes. Up to three more to the primary follow the log.',
  }),
  databaseStatementTimeoutMs: option('DATABASE_STATEMENT_TIMEOUT_MS', milliseconds(1, 3_600_000), {
    default: '5000',
    about: 'How long one SQL statement may run.',
  }),
  databaseLoadsMax: option('DATABASE_LOADS_MAX', whole(1, 1000), {
    about:
      'Loads of the cache that run at a time, on each database; searches take a quarter of them at most, and half the places in the queue. Absent: DATABASE_POOL_MAX less two.',
  }),
  databaseLoadsQueue: option('DATABASE_LOADS_QUEUE', whole(0, 1_000_000), {
    default: '1000',
    about: 'Loads that may wait for their turn. Any more fail with OVERLOADED.',
  }),
  databaseLoadsWaitMs: option('DATABASE_LOADS_WAIT_MS', milliseconds(1, 600_000), {
    default: '1000',
    about: 'How long a load waits for its turn before it fails with OVERLOADED.',
  }),
  databaseWritesMax: option('DATABASE_WRITES_MAX', whole(1, 1000), {
    about: 'Writes of requests that run at a time. Absent: DATABASE_POOL_MAX less two.',
  }),
  databaseWritesQueue: option('DATABASE_WRITES_QUEUE', whole(0, 1_000_000), {
    default: '1000',
    about: 'Writes that may wait for their turn. Any more fail with OVERLOADED.',
  }),
  databaseWritesWaitMs: option('DATABASE_WRITES_WAIT_MS', milliseconds(1, 600_000), {
    default: '5000',
    about: 'How long a write waits for its turn before it fails with OVERLOADED.',
  }),
  dataDirectory: option('DATA_DIRECTORY', text, {
    default: '.data',
    about: 'Where embedded PostgreSQL keeps its data.',
  }),
  redisUrl: option('REDIS_URL', url('redis:', 'rediss:'), {
    secret: true,
    about: 'Redis or Valkey; `rediss://` is TLS. Without REDIS_URL, REDIS_CLUSTER and REDIS_SENTINELS: memory alone.',
  }),
  redisReaderUrl: option('REDIS_READER_URL', url('redis:', 'rediss:'), {
    secret: true,
    about: 'A Redis that is read first. It may lag: what it lacks is read at REDIS_URL, where everything is written.',
  }),
  redisCluster: option('REDIS_CLUSTER', addresses, {
    about: 'Some nodes of a Redis Cluster, as host:port,host:port. REDIS_URL then gives only user, password and TLS.',
  }),
  redisClusterReads: option('REDIS_CLUSTER_READS', oneOf('masters', 'replicas'), {
    default: 'masters',
    about: '`masters` or `replicas`: which are read first. Replicas may lag: what one lacks is read at its master.',
  }),
  redisSentinels: option('REDIS_SENTINELS', addresses, {
    about:
      'Sentinels that know the primary, as host:port,host:port. REDIS_URL then gives user, password, database and TLS.',
  }),
  redisSentinelName: option('REDIS_SENTINEL_NAME', text, {
    default: 'mymaster',
    about: 'What the sentinels call the primary.',
  }),
  redisSentinelUsername: option('REDIS_SENTINEL_USERNAME', text, { about: 'User name at the sentinels.' }),
  redisSentinelPassword: option('REDIS_SENTINEL_PASSWORD', text, { secret: true, about: 'Password at the sentinels.' }),
  redisKeyPrefix: option('REDIS_KEY_PREFIX', text, {
    default: 'stet:',
    about: 'Begins every key and channel in Redis.',
  }),
  redisTimeoutMs: option('REDIS_TIMEOUT_MS', milliseconds(1, 60_000), {
    default: '200',
    about: 'How long Redis may take to answer before a read goes on without it.',
  }),
  redisLingerMs: option('REDIS_LINGER_MS', milliseconds(0, 60_000), {
    default: '10',
    about: 'How long a filled entry waits for a read to travel to Redis with, before it travels alone.',
  }),
  redisBreakerFailures: option('REDIS_BREAKER_FAILURES', whole(1, 1_000_000), {
    default: '5',
    about: 'After how many failures in a row, time-outs among them, a Redis server is left alone.',
  }),
  redisBreakerResetMs: option('REDIS_BREAKER_RESET_MS', milliseconds(1, 600_000), {
    default: '1000',
    about: 'How long it is left alone before one probe asks whether it is well again; give or take a quarter.',
  }),
  cacheSecrets: option('CACHE_SECRET', signingSecrets, {
    secret: true,
    about:
      'Signs what lies in Redis and seals what is private, at least 32 bytes. Several, one a line: all read, the first writes. Without it Redis is believed, and what is private stays in memory.',
  }),
  cacheVersion: option('CACHE_VERSION', text, {
    default: '1',
    about: 'Part of every key. Once it is changed, nothing that was cached before is read.',
  }),
  cacheTtlArticleListMs: option('CACHE_TTL_ARTICLE_LIST', seconds(positive), {
    default: '60',
    about: 'Time to live of lists, counts and view counts of articles.',
  }),
  cacheTtlArticleMs: option('CACHE_TTL_ARTICLE', seconds(positive), {
    default: '300',
    about: 'Time to live of articles.',
  }),
  cacheTtlUserMs: option('CACHE_TTL_USER', seconds(positive), { default: '600', about: 'Time to live of users.' }),
  cacheTtlTagMs: option('CACHE_TTL_TAG', seconds(positive), { default: '300', about: 'Time to live of tags.' }),
  cacheTtlJitter: option(
    'CACHE_TTL_JITTER',
    number('a number from 0 to below 1', (value) => value >= 0 && value < 1),
    {
      default: '0.1',
      about: 'How far each time to live is shortened at random: 0.1 is up to 10 %.',
    },
  ),
  cacheGraceMs: option('CACHE_GRACE', seconds(atLeastZero), {
    default: '60',
    about: 'How long an entry past its time to live that still stands is served while it is refreshed.',
  }),
  cacheGraceIfErrorMs: option('CACHE_GRACE_IF_ERROR', seconds(atLeastZero), {
    default: '3600',
    about: 'How long it is served if it cannot be loaded, or only slowly. 0, or no less than CACHE_GRACE.',
  }),
  cacheEarlyRefresh: option('CACHE_EARLY_REFRESH', atLeastZero, {
    default: '1',
    about: 'How readily entries are refreshed before they turn stale: more is earlier, 0 is never.',
  }),
  cacheRefreshAheadConcurrency: option('CACHE_REFRESH_AHEAD_CONCURRENCY', whole(0, 1000), {
    default: '4',
    about: 'How many of the most used entries are refreshed at a time, before they turn stale. 0: none.',
  }),
  cacheLoadTimeoutSoftMs: option('CACHE_LOAD_TIMEOUT_SOFT_MS', milliseconds(1, 600_000), {
    default: '500',
    about: 'How long a read waits for a load before it is answered with the stale entry, if there is one.',
  }),
  cacheLoadTimeoutMs: option('CACHE_LOAD_TIMEOUT_MS', milliseconds(1, 600_000), {
    default: '10000',
    about: 'How long a read waits in all before it fails with LOAD_TIMEOUT. More than CACHE_LOAD_TIMEOUT_SOFT_MS.',
  }),
  cacheLeaseMs: option('CACHE_LEASE_MS', milliseconds(0, 60_000), {
    default: '1000',
    about: 'How long one node may keep the others from loading the same entry. No node waits longer than twice that.',
  }),
  cacheCompressAboveBytes: option('CACHE_COMPRESS_ABOVE_BYTES', bytes(1, 2 ** 30), {
    default: '4096',
    about: 'Larger entries are compressed in Redis.',
  }),
  cacheMaxEntryBytes: option('CACHE_MAX_ENTRY_BYTES', bytes(1, 2 ** 30), {
    default: '2097152',
    about: 'Entries that take more in memory are served and not stored.',
  }),
  cacheMemoryMaxBytes: option('CACHE_MEMORY_MAX_MB', megabytes(positive), {
    about: "Size of the memory tier. Absent: a fifth of the heap's limit, at most 64.",
  }),
  cacheResponses: option('CACHE_RESPONSES', onOrOff, {
    default: 'on',
    about: '`on` or `off`: whether whole answers are kept, as `@cacheControl` in the schema says.',
  }),
  cdnMaxAgeMs: option('CDN_MAX_AGE', seconds(atLeastZero), {
    about:
      'How long a cache in front may give a public answer without asking again, at most as long as the answer lives. Absent: as browsers may.',
  }),
  persistedQueries: option('PERSISTED_QUERIES', onOrOff, {
    default: 'on',
    about: '`on` or `off`: whether a query may be sent as its hash alone, once it was sent in full with that hash.',
  }),
  trustedDocuments: option('TRUSTED_DOCUMENTS', text, {
    about: 'A JSON file (a manifest) of documents that may be sent by their ids. Also `serve --trusted-documents`.',
  }),
  trustedDocumentsOnly: option('TRUSTED_DOCUMENTS_ONLY', onOrOff, {
    default: 'off',
    about: '`on` or `off`: whether only the documents in TRUSTED_DOCUMENTS are answered, for every caller.',
  }),
  worker: option('WORKER', onOrOff, {
    default: 'on',
    about: '`on` or `off`: whether `serve` also does the work of `stet worker`. Without Redis it must.',
  }),
  workerPort: option('WORKER_PORT', whole(0, 65535), {
    about:
      'Where `stet worker` answers /metrics, /healthz and /readyz, on HOST; 0 takes any free port. Absent: nowhere.',
  }),
  queueMaxEntries: option('QUEUE_MAX_ENTRIES', whole(1, 100_000_000), {
    default: '100000',
    about: 'How many views may wait to be counted before more are refused with OVERLOADED.',
  }),
  queueMaxDead: option('QUEUE_MAX_DEAD', whole(1, 100_000_000), {
    default: '10000',
    about: 'How many dead letters are kept. Beyond that the oldest are dropped, counted and logged.',
  }),
  queueFlushMs: option('QUEUE_FLUSH_MS', milliseconds(1, 60_000), {
    default: '1000',
    about: 'How often queued views are written to the database.',
  }),
  rankArticlesMs: option('RANK_ARTICLES_EVERY', seconds(positive), {
    default: '60',
    about: 'How often the order MOST_VIEWED is made anew. Its lists fall no more often than that.',
  }),
  logBeatMs: option('LOG_BEAT_MS', milliseconds(1, 60_000), {
    default: '50',
    about: 'How long after its last look at the log a node looks again by itself. 250 ms later, answers say STALE.',
  }),
  logKeepRecords: option('LOG_KEEP_RECORDS', whole(1, 100_000_000), {
    default: '100000',
    about: 'The log keeps at least this many records.',
  }),
  logKeepMs: option('LOG_KEEP_MINUTES', minutes(positive), {
    default: '60',
    about: 'The log keeps records at least this long.',
  }),
  logSilenceMaxMs: option('LOG_SILENCE_MAX', seconds(atLeastZero), {
    default: '3600',
    about: 'How long a node that cannot read the log goes on answering, marked stale, before it refuses. 0: for ever.',
  }),
  catchUpTimeoutMs: option('CATCH_UP_TIMEOUT_MS', milliseconds(1, 60_000), {
    default: '2000',
    about: 'How long a request with Stet-As-Of waits for this node to catch up.',
  }),
  authJwtSecrets: option('AUTH_JWT_SECRET', signingSecrets, {
    secret: true,
    about:
      'Verifies bearer tokens (HS256): at least 32 bytes. Several, one a line: all verify, the first signs. Without it and AUTH_JWKS_URL: demo mode.',
  }),
  authJwksUrl: option('AUTH_JWKS_URL', url('http:', 'https:'), {
    secret: true,
    about: 'URL of the keys that verify bearer tokens. User and password in it are sent as Basic authentication.',
  }),
  authAudience: option('AUTH_AUDIENCE', namesOrAny, {
    about:
      'Names of this API, separated by commas: a token must be for one of them (`aud`). Needed beside AUTH_JWKS_URL; `*` takes tokens for any.',
  }),
  authIssuers: option('AUTH_ISSUER', names, {
    about: 'Names separated by commas: a token must be from one of them (`iss`). Absent: from any.',
  }),
  authClockToleranceMs: option('AUTH_CLOCK_TOLERANCE', seconds(whole(0, 3600)), {
    default: '0',
    about: 'By how much the clock of a token may differ from the clock of this node.',
  }),
  authMaxTokenAgeMs: option('AUTH_MAX_TOKEN_AGE', seconds(whole(1, 315_360_000)), {
    about: 'How long after it was issued (`iat`) a token is taken, whatever its `exp` says. Absent: until `exp`.',
  }),
  authMaxFailures: option('AUTH_MAX_FAILURES', whole(1, 1_000_000_000), {
    default: '60',
    about:
      'How many bad tokens one address may send to a node within RATE_LIMIT_WINDOW_SECONDS before it is told to wait (429).',
  }),
  playground: option('PLAYGROUND', onAdminOrOff, {
    about:
      '`on`, `admin` or `off`: whether GraphiQL is served. Absent: `on` in demo mode, otherwise `off`. `admin`: the schema is shown to an admin alone.',
  }),
  introspection: option('INTROSPECTION', onAdminOrOff, {
    about: '`on`, `admin` or `off`: who may ask for the schema, and sees suggestions in errors. Absent: as PLAYGROUND.',
  }),
  corsOrigins: option('CORS_ORIGINS', origins, {
    about:
      'Origins whose pages may call `/graphql`, separated by commas, or `*` for any. Absent: in demo mode those of this machine, otherwise none.',
  }),
  metricsPort: option('METRICS_PORT', whole(0, 65535), {
    about: 'Where `serve` answers /metrics, on HOST, instead of on PORT; 0 takes any free port.',
  }),
  metricsToken: option('METRICS_TOKEN', text, {
    secret: true,
    about:
      'Bearer token that /metrics asks for, of a worker too. Without it and METRICS_PORT, `serve` answers /metrics in demo mode only.',
  }),
  connectionsMax: option('CONNECTIONS_MAX', whole(1, 1_000_000), {
    default: '10000',
    about: 'Connections of clients at most. At this bound those that wait for no answer are closed.',
  }),
  connectionsMaxPerAddress: option('CONNECTIONS_MAX_PER_ADDRESS', whole(1, 1_000_000), {
    default: '1000',
    about: 'Connections from one address, or from one IPv6 network of 64 bits. Those of TRUST_PROXY are not counted.',
  }),
  requestMaxBytes: option('REQUEST_MAX_BYTES', bytes(1024, 2 ** 30), {
    default: '4194304',
    about: 'The body of a request at most. A longer one is REQUEST_TOO_LARGE.',
  }),
  requestMaxBytesOfVisitors: option('REQUEST_MAX_BYTES_OF_VISITORS', bytes(1024, 2 ** 30), {
    default: '262144',
    about: 'The same, without a valid token. A longer body that has a token is read once the token was verified.',
  }),
  requestMaxBytesInFlight: option('REQUEST_MAX_MB_IN_FLIGHT', megabytes(positive), {
    about:
      'Bodies of more than 4 KiB together, until their requests are answered. Any more are OVERLOADED. Absent: a third of the memory beside the heap, at most 64.',
  }),
  requestMaxBytesPerAddress: option('REQUEST_MAX_MB_PER_ADDRESS', megabytes(positive), {
    default: '16',
    about: 'The same, of one address. Behind TRUST_PROXY that is the address of the client.',
  }),
  answerMaxBytesUnread: option('ANSWER_MAX_MB_UNREAD', megabytes(positive), {
    about:
      'Answers that clients have not read yet, together. The connection of any more is closed. Absent: two thirds of the memory beside the heap, at most 256.',
  }),
  answerMaxBytesUnreadPerAddress: option('ANSWER_MAX_MB_UNREAD_PER_ADDRESS', megabytes(positive), {
    default: '32',
    about: 'The same, of one address. Behind TRUST_PROXY that is the address of the client.',
  }),
  requestHeadTimeoutMs: option('REQUEST_HEAD_TIMEOUT_MS', milliseconds(1, 600_000), {
    default: '10000',
    about: 'How long the head of a request may take to arrive, from its connection or its first byte on.',
  }),
  requestTimeoutMs: option('REQUEST_TIMEOUT_MS', milliseconds(1, 600_000), {
    default: '30000',
    about: 'How long a whole request may take to arrive; and for how long a client may read nothing of its answer.',
  }),
  queryMaxComplexity: option('QUERY_MAX_COMPLEXITY', byRole(whole(1, 100_000_000)), {
    default: '20000',
    about:
      'What one operation may cost, as the schema prices its fields: a number, or one for each role, as visitor=5000,author=20000,admin=50000.',
  }),
  queryMaxBytes: option('QUERY_MAX_BYTES', whole(100, 4_194_304), {
    default: '131072',
    about: 'How long the text of a query may be, in bytes.',
  }),
  queryMaxTokens: option('QUERY_MAX_TOKENS', whole(10, 100_000), {
    default: '10000',
    about: 'How many words, numbers, texts and punctuation marks a query may have.',
  }),
  queryMaxDepth: option('QUERY_MAX_DEPTH', whole(1, 100), {
    default: '20',
    about: 'How deep fields may lie within fields.',
  }),
  queryMaxFields: option('QUERY_MAX_FIELDS', whole(1, 100_000), {
    default: '1000',
    about:
      'How many fields one operation may answer, lists counted once, fragments written out. Written out it may have ten times as many selections.',
  }),
  queryMaxAliases: option('QUERY_MAX_ALIASES', whole(0, 100_000), {
    default: '100',
    about: 'How many fields of one operation may be given another name.',
  }),
  queryMaxRootFields: option('QUERY_MAX_ROOT_FIELDS', whole(1, 10_000), {
    default: '50',
    about: 'How many fields of `Query` one operation may ask for.',
  }),
  queryMaxMutations: option('QUERY_MAX_MUTATIONS', whole(1, 10_000), {
    default: '10',
    about: 'How many fields of `Mutation` one operation may run, one after another.',
  }),
  queryMaxErrors: option('QUERY_MAX_ERRORS', whole(1, 10_000), {
    default: '100',
    about: 'How many errors an answer may have. With more it has no data, and TOO_MANY_ERRORS says so.',
  }),
  queryTimeoutMs: option('QUERY_TIMEOUT_MS', milliseconds(1, 3_600_000), {
    default: '30000',
    about: 'How long a query may take before it fails with LOAD_TIMEOUT. Mutations are not cut off.',
  }),
  requestMaxValues: option('REQUEST_MAX_VALUES', whole(1, 1_000_000), {
    default: '10000',
    about: 'How many values the variables of one request may hold, those in lists and objects included.',
  }),
  answerMaxBytes: option('ANSWER_MAX_BYTES', whole(1000, 268_435_456), {
    default: '4194304',
    about: 'How long an answer may be, in bytes. A longer one fails with ANSWER_TOO_LARGE.',
  }),
  bodyRenderMaxMs: option('BODY_RENDER_MAX_MS', milliseconds(1, 600_000), {
    default: '5000',
    about:
      'How long one body may take to render. One that takes longer is refused when it is written, or shown as text.',
  }),
  rateLimitMax: option('RATE_LIMIT_MAX', whole(1, 1_000_000_000), {
    default: '120',
    about: 'How many views a user may record within RATE_LIMIT_WINDOW_SECONDS; without a user, an address.',
  }),
  rateLimitWindowMs: option('RATE_LIMIT_WINDOW_SECONDS', seconds(whole(1, 86_400)), {
    default: '60',
    about: 'After how long that count begins anew.',
  }),
  rateLimitMode: option('RATE_LIMIT_MODE', oneOf('off', 'measure', 'enforce'), {
    default: 'off',
    about:
      'Whether the cost of requests is counted for each user, otherwise each address. `measure`: told in headers and metrics. `enforce`: also refused.',
  }),
  rateLimitCostMax: option('RATE_LIMIT_COST_MAX', whole(1000, 1_000_000_000), {
    default: '100000',
    about: 'What a client may spend at once, as the schema prices its fields. Answers that were kept cost nothing.',
  }),
  rateLimitCostPerSecond: option('RATE_LIMIT_COST_PER_SECOND', whole(1, 1_000_000_000), {
    default: '2000',
    about: 'What a client may spend again after each second, up to RATE_LIMIT_COST_MAX.',
  }),
  trustProxy: option('TRUST_PROXY', proxies, {
    about: 'Proxies whose X-Forwarded-For is believed: addresses, networks or names of networks, separated by commas.',
  }),
  shutdownDelayMs: option('SHUTDOWN_DELAY_MS', milliseconds(0, 600_000), {
    default: '0',
    about: 'How long /readyz says no after SIGTERM before the server stops accepting: a load balancer sees it first.',
  }),
  shutdownTimeoutMs: option('SHUTDOWN_TIMEOUT_MS', milliseconds(0, 600_000), {
    default: '10000',
    about: 'How long requests in flight may then take before they are cut off. Statements are cut off a second later.',
  }),
  logLevel: option('LOG_LEVEL', oneOf('silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'), {
    default: 'info',
    about: 'How much is logged.',
  }),
}

/** The options of a server as they are in force. Times are in milliseconds, sizes in bytes. */
export type Config = {
  readonly [Name in keyof typeof options]: (typeof options)[Name] extends Option<infer Value> ? Value : never
} & {
  /** The file that AUTH_JWT_SECRET_FILE names. */
  readonly authJwtSecretFile: string | undefined
}

/** A variable of the environment, and what becomes of its text. */
interface Option<Value> {
  readonly variable: string
  readonly parse: Parser<Value>
  /** What the text counts. */
  readonly unit: string | undefined
  /** The text of an absent variable. Without it the option is then undefined. */
  readonly default: string | undefined
  /** It may also stand in a file, named by the variable with `_FILE`. No part of it is printed, but for what a URL says beside user and password. */
  readonly secret: boolean
  readonly about: string
}

function option<Value, Default extends string | undefined = undefined>(
  variable: string,
  parse: Parser<Value>,
  more: { readonly default?: Default; readonly secret?: boolean; readonly about: string },
): Option<Default extends string ? Value : Value | undefined> {
  const read = parse as Parser<Default extends string ? Value : Value | undefined>
  return { variable, parse: read, unit: parse.unit, default: undefined, secret: false, ...more }
}

/**
 * Reads every option: the only place that reads the environment, and the files that hold secrets. An empty variable counts as
 * absent. Throws a `ConfigError` of one line that names the variable, what it must be and what it is.
 *
 * @example readConfig({ PORT: '8080', CACHE_TTL_ARTICLE: '1.5' }).cacheTtlArticleMs // 1500
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const values = Object.entries(options).map(([name, option]) => [name, readOption(option, environment)])
  const authJwtSecretFile = environment.AUTH_JWT_SECRET_FILE || undefined
  const config: Config = Object.freeze({ ...Object.fromEntries(values), authJwtSecretFile })
  const contradiction = contradictionsIn(config).find(([holds]) => holds)
  if (contradiction) throw new ConfigError(contradiction[1])
  return config
}

function readOption(option: Option<unknown>, environment: NodeJS.ProcessEnv): unknown {
  const { text, file } = findText(option, environment)
  const given = text ?? option.default
  if (given === undefined) return undefined
  try {
    return option.parse(given)
  } catch (error) {
    const name = file === undefined ? option.variable : `What ${option.variable}_FILE holds`
    throw new ConfigError(`${name} must be ${(error as Error).message}, not ${describe(given, error, option)}.`)
  }
}

function describe(given: string, error: unknown, { secret, parse }: Option<unknown>): string {
  if (error instanceof WrongSecret) return error.got
  const isTold = parse.isUrl ? /^\w+:\/\/[^@?]*$/.test(given) : !secret && !given.includes('@')
  return !isTold ? 'what it holds (not shown: it may be secret)' : JSON.stringify(given)
}

interface Found {
  /** Undefined: the variable is absent. */
  readonly text: string | undefined
  /** The file that the text was read from. */
  readonly file: string | undefined
}

function findText({ variable, secret }: Option<unknown>, environment: NodeJS.ProcessEnv): Found {
  const text = environment[variable] || undefined
  const file = secret ? environment[`${variable}_FILE`] || undefined : undefined
  if (file === undefined) return { text, file }
  if (text !== undefined) throw new ConfigError(`Set either ${variable} or ${variable}_FILE, not both.`)
  return { text: readSecretFile(variable, file), file }
}

/** Without the end of its last line. HAZARD: an empty file must not count as an absent option: without a secret, everybody is an admin. */
function readSecretFile(variable: string, file: string): string {
  const mustName = `${variable}_FILE must name a file that`
  let text: string
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    throw new ConfigError(`${mustName} can be read, not ${JSON.stringify(file)} (${code}).`)
  }
  if (text === '') throw new ConfigError(`${mustName} holds something, not ${JSON.stringify(file)}, which is empty.`)
  return text
}

/** The secrets in AUTH_JWT_SECRET_FILE, as they are now. Throws as `readConfig` does. */
export function readSecrets(file: string): readonly string[] {
  return readOption(options.authJwtSecrets, { AUTH_JWT_SECRET_FILE: file }) as readonly string[]
}

/** An option as it may be printed. */
export interface DescribedOption {
  readonly variable: string
  /** The text in force. Undefined if there is none. */
  readonly value: string | undefined
  readonly default: string | undefined
  readonly unit: string | undefined
  readonly about: string
}

/** Every option with its text in force, but for what is secret. Throws as `readConfig` does. */
export function describeConfig(environment: NodeJS.ProcessEnv = process.env): readonly DescribedOption[] {
  readConfig(environment)
  return Object.values(options).map((option) => {
    const { variable, about, unit, default: byDefault } = option
    const { text, file } = findText(option, environment)
    const value = text === undefined ? byDefault : present(text, option)
    return { variable, value: file === undefined ? value : `${value} from ${file}`, default: byDefault, unit, about }
  })
}

/** Of a URL, only user and password are secret. */
const present = (text: string, { secret, parse }: Option<unknown>): string =>
  secret && !parse.isUrl ? HIDDEN : hideCredentials(text)

function contradictionsIn(config: Config): readonly (readonly [holds: unknown, message: string])[] {
  const { redisUrl, redisReaderUrl, redisCluster, redisSentinels } = config
  const { cacheGraceMs, cacheGraceIfErrorMs, cacheLoadTimeoutSoftMs, cacheLoadTimeoutMs } = config
  return [
    [redisCluster && redisSentinels, 'REDIS_SENTINELS must be absent beside REDIS_CLUSTER.'],
    [redisCluster && redisReaderUrl, 'REDIS_READER_URL must be absent beside REDIS_CLUSTER.'],
    [redisReaderUrl && !redisUrl && !redisSentinels, 'REDIS_READER_URL must be absent without REDIS_URL.'],
    [
      cacheGraceIfErrorMs > 0 && cacheGraceIfErrorMs < cacheGraceMs,
      'CACHE_GRACE_IF_ERROR must be 0, or no less than CACHE_GRACE.',
    ],
    [config.authJwtSecrets && config.authJwksUrl, 'Set either AUTH_JWT_SECRET or AUTH_JWKS_URL, not both.'],
    [
      config.authJwksUrl && !config.authAudience,
      'AUTH_AUDIENCE must be set beside AUTH_JWKS_URL, whose keys may also sign tokens for other applications; * takes tokens for any.',
    ],
    [
      config.worker === 'off' && !hasRedis(config),
      'WORKER must be on without REDIS_URL: no other process can count the views of this node.',
    ],
    [
      config.trustedDocumentsOnly === 'on' && config.trustedDocuments === undefined,
      'TRUSTED_DOCUMENTS_ONLY must be off without TRUSTED_DOCUMENTS: nothing would be answered.',
    ],
    [
      config.requestMaxBytesOfVisitors > config.requestMaxBytes,
      'REQUEST_MAX_BYTES_OF_VISITORS must be no more than REQUEST_MAX_BYTES.',
    ],
    [
      config.requestMaxBytes > config.requestMaxBytesPerAddress,
      'REQUEST_MAX_MB_PER_ADDRESS must be no less than REQUEST_MAX_BYTES.',
    ],
    [
      config.requestHeadTimeoutMs > config.requestTimeoutMs,
      'REQUEST_HEAD_TIMEOUT_MS must be no more than REQUEST_TIMEOUT_MS.',
    ],
    [
      cacheLoadTimeoutSoftMs >= cacheLoadTimeoutMs,
      'CACHE_LOAD_TIMEOUT_MS must be more than CACHE_LOAD_TIMEOUT_SOFT_MS.',
    ],
  ]
}

/** Whether there is Redis, in any of its forms. Without it the memory tier is alone, and queues are in the process. */
export const hasRedis = ({ redisUrl, redisCluster, redisSentinels }: Config): boolean =>
  redisUrl !== undefined || redisCluster !== undefined || redisSentinels !== undefined

/** The environment holds a value that makes no sense. */
export class ConfigError extends Error {}
