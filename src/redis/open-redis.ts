import { Cluster, type CommonRedisOptions, Redis, type RedisOptions } from 'ioredis'
import { GuardedRedis, type GuardedRedisOptions } from './guarded-redis.ts'
import { lookBeforeTimeout } from './look-before-timeout.ts'

export interface OpenRedisOptions {
  readonly servers: RedisServers
  /** How long a command may take, in milliseconds. */
  readonly timeoutMs: number
  readonly breaker: Pick<GuardedRedisOptions, 'failures' | 'resetMs' | 'onBreaker'>
  readonly onError: (error: Error) => void
}

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** One server at `url`; or a cluster; or whichever server the sentinels name. Of these two, `url` says how to sign in. */
export interface RedisServers {
  readonly url: string | undefined
  /** An end point that only reads, and may lag. */
  readonly readerUrl: string | undefined
  readonly cluster: readonly Address[] | undefined
  /** Of a cluster: where it is read first. Replicas may lag. */
  readonly clusterReads?: 'masters' | 'replicas'
  readonly sentinels: Sentinels | undefined
}

interface Sentinels {
  readonly addresses: readonly Address[]
  /** What they call the primary. */
  readonly name: string
  readonly username: string | undefined
  readonly password: string | undefined
}

export interface RedisClients {
  /** For commands: fails at once where it isn't connected, and keeps trying to connect. */
  readonly commands: GuardedRedis
  /** The same, to the end point that only reads. */
  readonly reader: GuardedRedis | undefined
  /** For every subscription of the process: goes on trying to connect. */
  readonly subscriber: Redis
  /** Resolves once connected; with the reason where that takes longer than a start should wait: it is only a cache. */
  whenReady(): Promise<Error | undefined>
  close(): Promise<void>
}

export function openRedis({ servers, timeoutMs, breaker, onError }: OpenRedisOptions): RedisClients {
  const forCommands: CommonRedisOptions = {
    ...limits,
    commandTimeout: timeoutMs,
    // A connection can be dead without saying so, and then its successor need not be.
    socketTimeout: Math.max(SILENCE_MS, 5 * timeoutMs),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  }
  // Who listens subscribes at each connection; what ioredis does by itself nobody would hear fail.
  const forSubscriptions: CommonRedisOptions = { ...limits, maxRetriesPerRequest: null, autoResubscribe: false }
  const cluster = servers.cluster && openCluster(servers.cluster, signIn(servers.url), forCommands)
  const commands =
    cluster ?? lookBeforeTimeout(openServer(servers, { ...forCommands, reconnectOnError: whereDemoted() }))
  cluster?.on('+node', lookBeforeTimeout)
  const subscriber = cluster
    ? openRoaming(cluster, servers.cluster ?? [], { ...signIn(servers.url), ...forSubscriptions })
    : openServer(servers, forSubscriptions)
  // One end point before a cluster may want to hear that a replica will do. Others refuse to hear it, which does no harm.
  const reader = servers.readerUrl
    ? lookBeforeTimeout(new Redis(servers.readerUrl, { ...forCommands, readOnly: true }))
    : undefined

  let last: Error | undefined
  const tell = (error: Error & { readonly lastNodeError?: Error }) => {
    last = error.lastNodeError ?? error
    onError(last)
  }
  const guardReader = (): GuardedRedis | undefined => {
    if (reader) return new GuardedRedis(reader, { name: 'redis reader', ...breaker })
    if (!cluster || servers.clusterReads !== 'replicas') return undefined
    return new GuardedRedis(cluster, { name: 'redis reader', role: 'replica', ...breaker })
  }
  const clients = [commands, subscriber, ...(reader ? [reader] : [])]
  for (const client of clients) client.on('error', tell)
  cluster?.on('node error', tell)
  return {
    commands: new GuardedRedis(commands, { name: 'redis', ...breaker }),
    reader: guardReader(),
    subscriber,
    whenReady: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(last ?? new Error('Redis did not answer')), START_TIMEOUT_MS)
        commands.once('ready', () => {
          clearTimeout(timer)
          resolve(undefined)
        })
      }),
    close: async () => {
      for (const client of clients) client.disconnect()
    },
  }
}

function openServer({ url = '', sentinels }: RedisServers, options: CommonRedisOptions): Redis {
  if (!sentinels) return new Redis(url, options)
  const { tls, ...user } = signIn(url)
  return new Redis({
    ...user,
    ...options,
    sentinels: [...sentinels.addresses],
    name: sentinels.name,
    sentinelUsername: sentinels.username,
    sentinelPassword: sentinels.password,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    sentinelRetryStrategy: retryStrategy,
    ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  })
}

function openCluster(nodes: readonly Address[], user: RedisOptions, options: CommonRedisOptions): Cluster {
  const { retryStrategy: clusterRetryStrategy, enableOfflineQueue, ...forNodes } = options
  return new Cluster([...nodes], {
    clusterRetryStrategy,
    enableOfflineQueue,
    // Most changes are heard of sooner, from a node that refuses.
    slotsRefreshInterval: MAP_INTERVAL_MS,
    // A name must stay a name, to be compared with a certificate.
    dnsLookup: (host, done) => done(null, host),
    redisOptions: { ...user, ...forNodes },
  })
}

/** Listens at any node, since each hears what is published at another; elsewhere when that node is lost, or leaves. */
function openRoaming(cluster: Cluster, startup: readonly Address[], options: RedisOptions): Redis {
  let turn = Math.floor(Math.random() * startup.length)
  const next = (): Partial<Address> => {
    const known = cluster.nodes().map((node) => node.options)
    const all = known.length > 0 ? known : startup
    const { host, port } = all[turn++ % all.length] ?? {}
    return { host, port }
  }
  const subscriber: Redis = new Redis({
    ...options,
    ...next(),
    retryStrategy: (attempt) => {
      Object.assign(subscriber.options, next())
      return retryStrategy(attempt)
    },
  })
  cluster.on('refresh', () => {
    const { host, port } = subscriber.options
    const belongs = cluster.nodes().some((node) => node.options.host === host && node.options.port === port)
    if (!belongs && subscriber.status === 'ready') subscriber.disconnect(true)
  })
  return subscriber
}

/** Who to be, and whether to talk by TLS, from a URL. */
function signIn(url = ''): RedisOptions {
  if (!URL.canParse(url)) return {}
  const { protocol, username, password, pathname } = new URL(url)
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 && { db: Number(pathname.slice(1)) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  }
}

/** After a fail-over a connection may be left with a server that takes no writes any more. Seldom, lest a wrong URL make it reconnect for ever. */
function whereDemoted(): (error: Error) => boolean {
  let quietUntilMs = 0
  return ({ message }) => {
    if (!message.startsWith('READONLY') || performance.now() < quietUntilMs) return false
    quietUntilMs = performance.now() + DEMOTED_REST_MS
    return true
  }
}

const retryStrategy = (attempt: number) => Math.min(1000, 50 * attempt) * (0.5 + Math.random() / 2)

const START_TIMEOUT_MS = 1000
const CONNECT_TIMEOUT_MS = 2000
const SILENCE_MS = 2000
const MAP_INTERVAL_MS = 5000
const DEMOTED_REST_MS = 5000

const limits: CommonRedisOptions & Pick<RedisOptions, 'disconnectTimeout'> = {
  retryStrategy,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // Else a client that is broken already would hold its process for two seconds.
  disconnectTimeout: 100,
  // Nothing here needs RESP3, and some end points that speak for a cluster hang up on HELLO.
  protocol: 2,
}
