import { expect, it } from '@jest/globals'
import { ConfigError, readConfig } from './config.ts'

it('has a default for everything that a server needs', () => {
  expect(readConfig({})).toMatchObject({ port: 4000, host: '127.0.0.1', databaseUrl: undefined, redisUrl: undefined })
})

it('reads times in their units, and an empty variable as none', () => {
  const config = readConfig({
    CACHE_TTL_ARTICLE: '1.5',
    RATE_LIMIT_WINDOW_SECONDS: '30',
    LOG_KEEP_MINUTES: '2',
    CACHE_MEMORY_MAX_MB: '0.5',
    PORT: '',
  })
  expect(config).toMatchObject({
    cacheTtlArticleMs: 1500,
    rateLimitWindowMs: 30_000,
    logKeepMs: 120_000,
    cacheMemoryMaxBytes: 524_288,
    port: 4000,
  })
})

it('reads where the nodes of a cluster are, and sentinels', () => {
  const { redisCluster, redisSentinels } = readConfig({ REDIS_CLUSTER: 'one:6379, 10.0.0.2:6380,[::1]:6381' })
  expect(redisCluster).toEqual([
    { host: 'one', port: 6379 },
    { host: '10.0.0.2', port: 6380 },
    { host: '::1', port: 6381 },
  ])
  expect(redisSentinels).toBeUndefined()
})

it.each([
  [{ REDIS_CLUSTER: 'one:1', REDIS_SENTINELS: 'two:2' }, 'REDIS_SENTINELS must be absent beside REDIS_CLUSTER.'],
  [{ REDIS_CLUSTER: 'one:1', REDIS_READER_URL: 'redis://x' }, 'REDIS_READER_URL must be absent beside REDIS_CLUSTER.'],
  [{ REDIS_READER_URL: 'redis://x' }, 'REDIS_READER_URL must be absent without REDIS_URL.'],
  [
    { TRUSTED_DOCUMENTS_ONLY: 'on' },
    'TRUSTED_DOCUMENTS_ONLY must be off without TRUSTED_DOCUMENTS: nothing would be answered.',
  ],
])('refuses what contradicts itself: %j', (environment, message) => {
  expect(() => readConfig(environment)).toThrow(new ConfigError(message))
})

const HOST_PORTS = 'a comma-separated list of host:port, such as 10.0.0.1:6379,10.0.0.2:6379'

it.each([
  ['PORT', 'http', 'a whole number from 0 to 65535'],
  ['PORT', '65536', 'a whole number from 0 to 65535'],
  ['PORT', '4000.5', 'a whole number from 0 to 65535'],
  ['PORT', ' ', 'a whole number from 0 to 65535'],
  ['CACHE_TTL_ARTICLE', '0', 'a number above 0'],
  ['CACHE_TTL_ARTICLE', 'Infinity', 'a number above 0'],
  ['CACHE_TTL_JITTER', '1', 'a number from 0 to below 1'],
  ['WORKER', 'yes', 'one of on, off'],
  ['TRUST_PROXY', 'everybody', 'addresses or networks such as 10.0.0.0/8, separated by commas'],
  ['TRUST_PROXY', '10.0.0.0/33', 'addresses or networks such as 10.0.0.0/8, separated by commas'],
  ['DATABASE_SCHEMA', 'My Schema', 'the name of a schema: small letters, digits and underscores'],
  ['DATABASE_SCHEMA', 'pg_catalog', 'the name of a schema: small letters, digits and underscores'],
  ['LOG_LEVEL', 'loud', 'one of silent, fatal, error, warn, info, debug, trace'],
  ['REDIS_BREAKER_FAILURES', '0', 'a whole number from 1 to 1000000'],
  ['REDIS_CLUSTER', 'host', HOST_PORTS],
  ['REDIS_CLUSTER', 'one:6379,', HOST_PORTS],
  ['REDIS_CLUSTER', 'one:6379;two:6379', HOST_PORTS],
  ['REDIS_SENTINELS', 'redis://one:26379', HOST_PORTS],
  ['AUTH_JWKS_URL', 'ftp://x', 'a URL that begins with http:// or https://'],
])('names a variable that holds nonsense, what it wants and what it got: %s=%s', (variable, value, wanted) => {
  const message = `${variable} must be ${wanted}, not ${JSON.stringify(value)}.`
  expect(() => readConfig({ [variable]: value })).toThrow(new ConfigError(message))
})

it('takes addresses, networks and their names for proxies', () => {
  const config = readConfig({ TRUST_PROXY: 'loopback, 10.0.0.0/8,::1,2001:db8::/64' })
  expect(config.trustProxy).toBe('loopback,10.0.0.0/8,::1,2001:db8::/64')
})

it('wants a worker where nobody else could do its work', () => {
  expect(() => readConfig({ WORKER: 'off' })).toThrow(ConfigError)
  expect(readConfig({ WORKER: 'off', REDIS_URL: 'redis://127.0.0.1' })).toMatchObject({ worker: 'off' })
})

it.each([
  ['AUTH_JWT_SECRET', 'hunter2'],
  ['DATABASE_URL', 'mysql://user:hunter2@host/db'],
  ['DATABASE_REPLICA_URL', 'user:hunter2@host/db'],
  ['REDIS_URL', 'user:hunter2@host'],
  ['REDIS_READER_URL', 'http://user:hunter2@host'],
  ['REDIS_CLUSTER', 'user:hunter2@host:6379'],
])('does not tell what may be secret, not even where it is wrong: %s', (variable, value) => {
  const read = () => readConfig({ [variable]: value })
  expect(read).toThrow(new RegExp(`^${variable} must be `))
  expect(read).not.toThrow(/hunter2/)
})
