import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { RunningStet } from '../api/run-stet.ts'
import {
  canStartRedisCluster,
  createCertificate,
  GraphQLClient,
  getTestRun,
  type RedisSentinel,
  type RedisServer,
  readMetrics,
  reservePort,
  startRedis,
  startRedisSentinel,
  TEST_JWT_SECRET,
  TEST_METRICS_TOKEN,
  testToken,
} from '../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './races/article-world.ts'

/**
 * Redis that talks by TLS, with a certificate of its own making, to a user who may touch nothing but what begins with the
 * prefix: in each of the forms that Redis comes in.
 */
/** The commands that `docker-compose.yml` allows. */
const commands =
  readFileSync('deploy/secrets/redis_users.acl', 'utf8')
    .match(/-@all( \+[\w|]+){2,}/)?.[0]
    .split(' ') ?? []

/** What a cluster, or a reader, needs beside them: see docs/security.md. */
const FORMS = ['+cluster|slots', '+cluster|info', '+readonly', '+client|setname']

const describeWhereItCan = canStartRedisCluster() ? describe : describe.skip

describeWhereItCan('where Redis asks for TLS, a user and a password', () => {
  let certificate: { readonly certificate: string; readonly key: string }
  let single: Guarded
  let clustered: Guarded
  let sentinel: RedisSentinel
  let sentinelTlsPort: number
  let world: ArticleWorld
  let stet: RunningStet | undefined

  beforeAll(async () => {
    certificate = createCertificate()
    single = await startGuarded()
    const alone = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--tls-cluster', 'yes']
    clustered = await startGuarded(...alone, '--cluster-port', String(await port()))
    await clustered.admin.cluster('ADDSLOTSRANGE', 0, 16383)
    sentinelTlsPort = await port()
    sentinel = await startRedisSentinel({
      name: 'primary',
      port: single.tlsPort,
      password: 'sentinel’s-own',
      lines: [`tls-port ${sentinelTlsPort}`, ...tls().map((line) => line.join(' ')), 'tls-replication yes'],
    })
  })

  beforeEach(async () => {
    world = await createArticleWorld()
    for (const { admin } of [single, clustered]) {
      await admin.acl(
        'SETUSER',
        'stet',
        'reset',
        'on',
        '>p@ss/word',
        `~${world.redisPrefix}*`,
        `&${world.redisPrefix}*`,
        ...commands,
        ...FORMS,
      )
      await admin.acl('SETUSER', 'default', 'resetpass', '>nobody knows')
      await admin.acl('LOG', 'RESET')
    }
  })

  afterEach(async () => {
    await stet?.end('SIGKILL')
    await world.end()
  })

  afterAll(async () => {
    await sentinel.stop()
    for (const { admin, server } of [single, clustered]) {
      admin.disconnect()
      await server.stop()
    }
  })

  it.each([
    ['one server', () => ({ REDIS_URL: urlOf(single) })],
    ['a server with a reader', () => ({ REDIS_URL: urlOf(single), REDIS_READER_URL: urlOf(single) })],
    ['a cluster', () => ({ REDIS_URL: urlOf(), REDIS_CLUSTER: `127.0.0.1:${clustered.tlsPort}` })],
    [
      'sentinels',
      () => ({
        REDIS_URL: urlOf(),
        REDIS_SENTINELS: `127.0.0.1:${sentinelTlsPort}`,
        REDIS_SENTINEL_NAME: 'primary',
        REDIS_SENTINEL_PASSWORD: 'sentinel’s-own',
      }),
    ],
  ])('uses %s, and nothing there that is not its own', async (_form, environment) => {
    const [visitor, admin, url] = await start({ NODE_EXTRA_CA_CERTS: certificate.certificate, ...environment() })
    expect(await readTitle(visitor)).toBe('old')
    for (let round = 1; round <= 3; round++) {
      const { token } = await writeTitle(admin, `round ${round}`)
      expect(await readTitle(visitor, token)).toBe(`round ${round}`)
    }
    expect(await (await fetch(`${url}/readyz`)).text()).toContain('redis: ok')
    const metrics = await readMetrics(url)
    expect(metrics).toMatch(/^stet_redis_errors_total 0$/m)
    expect(await stet?.end('SIGTERM')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Redis') })
    const { admin: redis } = 'REDIS_CLUSTER' in environment() ? clustered : single
    expect(await redis.acl('LOG')).toEqual([])
    const keys = await redis.keys('*')
    expect(keys.filter((key) => key.startsWith(`${world.redisPrefix}1:`)).length).toBeGreaterThan(0)
  })

  it.each([
    ['one server', () => ({ REDIS_URL: urlOf(single, 'wrong') })],
    ['a cluster', () => ({ REDIS_URL: urlOf(undefined, 'wrong'), REDIS_CLUSTER: `127.0.0.1:${clustered.tlsPort}` })],
  ])('says at the start that %s refuses a password, and serves without it', async (_form, environment) => {
    const [visitor, admin] = await start({ NODE_EXTRA_CA_CERTS: certificate.certificate, ...environment() })
    const { token } = await writeTitle(admin, 'new')
    expect(await readTitle(visitor, token)).toBe('new')
    const { stderr = '' } = (await stet?.end('SIGTERM')) ?? {}
    expect(stderr).toContain('Redis refuses the user name or password in REDIS_URL')
    expect(stderr).toContain('WRONGPASS')
    // Nor in the command that ioredis adds to its errors.
    expect(stderr).not.toMatch(/"wrong"|wrong@/)
  })

  it('says that it does not trust a certificate, and serves without Redis', async () => {
    const [visitor] = await start({ REDIS_URL: urlOf(single) })
    expect(await readTitle(visitor)).toBe('old')
    const { stderr = '' } = (await stet?.end('SIGTERM')) ?? {}
    expect(stderr).toContain('self-signed certificate')
  })

  interface Guarded {
    readonly server: RedisServer
    readonly tlsPort: number
    readonly admin: Redis
  }

  async function startGuarded(...args: string[]): Promise<Guarded> {
    const tlsPort = await port()
    const options = tls().flatMap(([name, value]) => [`--${name}`, value])
    const server = await startRedis({ args: ['--tls-port', String(tlsPort), ...options, ...args] })
    return { server, tlsPort, admin: new Redis(server.url) }
  }

  const tls = (): [string, string][] => [
    ['tls-cert-file', certificate.certificate],
    ['tls-key-file', certificate.key],
    ['tls-ca-cert-file', certificate.certificate],
    ['tls-auth-clients', 'no'],
  ]

  const port = () => reservePort(getTestRun().directory)

  /** Without a server: as where others say where it is. */
  const urlOf = (redis?: Guarded, password = 'p@ss/word') =>
    `rediss://stet:${encodeURIComponent(password)}@${redis ? `127.0.0.1:${redis.tlsPort}` : 'elsewhere'}`

  async function start(environment: NodeJS.ProcessEnv): Promise<readonly [GraphQLClient, GraphQLClient, string]> {
    stet = new RunningStet(['serve', '--json'], {
      PORT: '0',
      LOG_LEVEL: 'warn',
      AUTH_JWT_SECRET: TEST_JWT_SECRET,
      METRICS_TOKEN: TEST_METRICS_TOKEN,
      DATABASE_URL: world.database.url,
      REDIS_KEY_PREFIX: world.redisPrefix,
      REDIS_TIMEOUT_MS: '2000',
      ...environment,
    })
    const { url } = await stet.serving()
    return [new GraphQLClient(url), new GraphQLClient(url, await testToken('admin')), url]
  }
})
