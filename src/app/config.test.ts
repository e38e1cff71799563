import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import { ConfigError, describeConfig, options, readConfig } from './config.ts'

const directory = mkdtempSync(join(tmpdir(), 'stet-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

function fileWith(text: string): string {
  const file = join(directory, `secret-${++files}`)
  writeFileSync(file, text)
  return file
}

let files = 0

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

it('reads one number for all roles, or one for each', () => {
  const read = (text: string) => readConfig({ QUERY_MAX_COMPLEXITY: text }).queryMaxComplexity
  expect(read('500')).toEqual({ visitor: 500, author: 500, admin: 500 })
  expect(read('admin=3, visitor=1,author=2')).toEqual({ visitor: 1, author: 2, admin: 3 })
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
    { REQUEST_MAX_BYTES: '4194305', REQUEST_MAX_MB_PER_ADDRESS: '4' },
    'REQUEST_MAX_MB_PER_ADDRESS must be no less than REQUEST_MAX_BYTES.',
  ],
  [{ REQUEST_MAX_BYTES: '100000' }, 'REQUEST_MAX_BYTES_OF_VISITORS must be no more than REQUEST_MAX_BYTES.'],
  [{ REQUEST_HEAD_TIMEOUT_MS: '30001' }, 'REQUEST_HEAD_TIMEOUT_MS must be no more than REQUEST_TIMEOUT_MS.'],
  [
    { TRUSTED_DOCUMENTS_ONLY: 'on' },
    'TRUSTED_DOCUMENTS_ONLY must be off without TRUSTED_DOCUMENTS: nothing would be answered.',
  ],
])('refuses what contradicts itself: %j', (environment, message) => {
  expect(() => readConfig(environment)).toThrow(new ConfigError(message))
})

const BY_ROLE = 'a whole number from 1 to 100000000, or one for each role as visitor=…,author=…,admin=…'
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
  ...['app.example', 'https://app.example/path', '*, https://app.example', 'https://*.example', 'null', ','].map(
    (value): [string, string, string] => [
      'CORS_ORIGINS',
      value,
      'origins such as https://app.example, separated by commas, or * alone',
    ],
  ),
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
  ['QUERY_MAX_COMPLEXITY', '0', BY_ROLE],
  ['QUERY_MAX_COMPLEXITY', 'visitor=5,author=6', BY_ROLE],
  ['QUERY_MAX_COMPLEXITY', 'visitor=5,author=6,admin=x', BY_ROLE],
  ['QUERY_MAX_COMPLEXITY', 'visitor=5,author=6,root=7', BY_ROLE],
  ['QUERY_MAX_COMPLEXITY', 'visitor=5,author=6,admin=7,admin=8', BY_ROLE],
  ['AUTH_JWKS_URL', 'ftp://x', 'a URL that begins with http:// or https://'],
])('names a variable that holds nonsense, what it wants and what it got: %s=%s', (variable, value, wanted) => {
  const message = `${variable} must be ${wanted}, not ${JSON.stringify(value)}.`
  expect(() => readConfig({ [variable]: value })).toThrow(new ConfigError(message))
})

it('takes origins as browsers write them', () => {
  expect(readConfig({ CORS_ORIGINS: '*' }).corsOrigins).toBe('*')
  expect(
    readConfig({ CORS_ORIGINS: 'HTTPS://App.example:443, http://[::1]:80,capacitor://localhost' }).corsOrigins,
  ).toEqual(['https://app.example', 'http://[::1]', 'capacitor://localhost'])
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

const LONG = 'a secret that has thirty-two bytes'

it.each([
  ['hunter2', 'one of 7'],
  ['x'.repeat(31), 'one of 31'],
  [`${LONG}\nhunter2`, 'one of 7'],
  ['\n', 'an empty one'],
])('wants secrets of 32 bytes, and tells no more of them than how long they are: %j', (secret, got) => {
  const message = `AUTH_JWT_SECRET must be a secret of at least 32 bytes, or several, one a line, not ${got}.`
  expect(() => readConfig({ AUTH_JWT_SECRET: secret })).toThrow(new ConfigError(message))
})

it('counts the bytes of a secret, takes several, and takes a comma for a part of one', () => {
  const umlauts = 'ü'.repeat(16)
  expect(readConfig({ AUTH_JWT_SECRET: umlauts }).authJwtSecrets).toEqual([umlauts])
  const { authJwtSecrets } = readConfig({ AUTH_JWT_SECRET: `${LONG}, really\r\n${umlauts}\n` })
  expect(authJwtSecrets).toEqual([`${LONG}, really`, umlauts])
})

const SECRETS = Object.values(options).filter(({ secret }) => secret)
const LOOKS_RIGHT: Record<string, string> = {
  DATABASE_URL: 'postgres://zoe:hunter2@db:5432/stet',
  DATABASE_REPLICA_URL: 'postgresql://hunter2@standby/stet?user=zoe&password=hunter2&sslmode=verify-full',
  REDIS_URL: 'rediss://:hunter2@redis:6380/1',
  REDIS_READER_URL: 'redis://zoe:hunter2@reader:6379',
  REDIS_SENTINEL_PASSWORD: 'hunter2',
  CACHE_SECRET: `hunter2:${LONG}`,
  AUTH_JWT_SECRET: `hunter2:${LONG}`,
  AUTH_JWKS_URL: 'https://zoe:hunter2@login.example/keys?v=2',
  METRICS_TOKEN: 'hunter2',
}

it.each(SECRETS.map(({ variable }) => variable))(
  'takes %s from a file too, without the end of its last line',
  (variable) => {
    const value = LOOKS_RIGHT[variable] ?? ''
    const REDIS_URL = 'redis://127.0.0.1'
    const beside =
      variable === 'REDIS_READER_URL' ? { REDIS_URL } : variable === 'AUTH_JWKS_URL' ? { AUTH_AUDIENCE: '*' } : {}
    const { authJwtSecretFile: _, ...direct } = readConfig({ ...beside, [variable]: value })
    for (const text of [value, `${value}\n`, `${value}\r\n`]) {
      expect(readConfig({ ...beside, [`${variable}_FILE`]: fileWith(text) })).toMatchObject(direct)
    }
    const both = { ...beside, [variable]: value, [`${variable}_FILE`]: fileWith(value) }
    expect(() => readConfig(both)).toThrow(new ConfigError(`Set either ${variable} or ${variable}_FILE, not both.`))
    expect(() => readConfig({ [`${variable}_FILE`]: '/nowhere/to/be/found' })).toThrow(
      new ConfigError(`${variable}_FILE must name a file that can be read, not "/nowhere/to/be/found" (ENOENT).`),
    )
    expect(() => readConfig({ [`${variable}_FILE`]: directory })).toThrow(/ \(EISDIR\)\.$/)
    expect(() => readConfig({ [`${variable}_FILE`]: fileWith('\n') })).toThrow(
      /holds something, not ".*", which is empty\.$/,
    )
  },
)

it('names the file that holds nonsense, and does not tell what', () => {
  const read = () => readConfig({ DATABASE_URL_FILE: fileWith('mysql://zoe:hunter2@db') })
  expect(read).toThrow(
    /^What DATABASE_URL_FILE holds must be a URL that begins with .* \(not shown: it may be secret\)\.$/,
  )
})

it('reads no other option from a file', () => {
  expect(readConfig({ PORT_FILE: '/nowhere/to/be/found' }).port).toBe(4000)
})

it('describes every option, hides every secret, of URLs user and password, and nothing else', () => {
  const described = (environment: NodeJS.ProcessEnv) => {
    const rows = describeConfig({ AUTH_AUDIENCE: '*', ...environment })
    expect(JSON.stringify(rows)).not.toMatch(/hunter2|zoe|thirty-two/)
    return Object.fromEntries(rows.map(({ variable, value }) => [variable, value]))
  }
  const { AUTH_JWKS_URL, ...others } = LOOKS_RIGHT
  expect(described({ ...others, REDIS_SENTINELS: 'one:26379,two:26379' })).toMatchObject({
    DATABASE_URL: 'postgres://(secret)@db:5432/stet',
    DATABASE_REPLICA_URL: 'postgresql://(secret)@standby/stet?user=(secret)&password=(secret)&sslmode=verify-full',
    REDIS_URL: 'rediss://(secret)@redis:6380/1',
    REDIS_READER_URL: 'redis://(secret)@reader:6379',
    REDIS_SENTINELS: 'one:26379,two:26379',
    REDIS_SENTINEL_PASSWORD: '(secret)',
    AUTH_JWT_SECRET: '(secret)',
    PORT: '4000',
    AUTH_ISSUER: undefined,
  })
  expect(described({ AUTH_JWKS_URL, REDIS_CLUSTER: 'one:6379' })).toMatchObject({
    AUTH_JWKS_URL: 'https://(secret)@login.example/keys?v=2',
    REDIS_CLUSTER: 'one:6379',
  })
  const file = fileWith(String(LOOKS_RIGHT.DATABASE_URL))
  expect(described({ DATABASE_URL_FILE: file })).toMatchObject({
    DATABASE_URL: `postgres://(secret)@db:5432/stet from ${file}`,
  })
  expect(described({ DATABASE_URL: 'postgres://db/stet' })).toMatchObject({ DATABASE_URL: 'postgres://db/stet' })
})
