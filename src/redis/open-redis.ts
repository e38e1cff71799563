import { Cluster, type CommonRedisOptions, Redis, type RedisOptions } from 'ioredis'
import { inTime } from '../kernel/in-time.ts'
import { parseUrl } from '../kernel/parse-url.ts'
import { guardedSentinels, guardReplies } from './guard-replies.ts'
import { GuardedRedis, type GuardedRedisOptions } from './guarded-redis.ts'
import { type SubscriberWatch, type WatchSubscriberOptions, watchSubscriber } from './watch-subscriber.ts'

export interface OpenRedisOptions {
  readonly servers: RedisServers
  /** How long a command may take, in milliseconds. */
  readonly timeoutMs: number
  readonly breaker: Pick<GuardedRedisOptions, 'failures' | 'resetMs' | 'onBreaker'>
  /** How to find out that the subscriber's connection is dead. Default: each half second, a PING must be answered within a second, or within `timeoutMs` if that is longer. */
  readonly watch?: WatchSubscriberOptions
  readonly onError: (error: Error) => void
}

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** One server at `url`, or a cluster, or the server that the sentinels name. With a cluster or sentinels, `url` says how to sign in. */
export interface RedisServers {
  readonly url: string | undefined
  /** An end point that only reads. It may lag. */
  readonly readerUrl: string | undefined
  readonly cluster: readonly Address[] | undefined
  /** Where a cluster is read first. Replicas may lag. */
  readonly clusterReads?: 'masters' | 'replicas'
  readonly sentinels: Sentinels | undefined
}

interface Sentinels {
  readonly addresses: readonly Address[]
  /** The name that the sentinels have for the primary. */
  readonly name: string
  readonly username: string | undefined
  readonly password: string | undefined
}

export interface RedisClients {
  /** For commands. Fails at once while it is not connected, and keeps trying to connect. */
  readonly commands: GuardedRedis
  /** The same for the end point that only reads. */
  readonly reader: GuardedRedis | undefined
  /** For every subscription of the process. Keeps trying to connect. */
  readonly subscriber: Redis
  readonly watch: SubscriberWatch
  /** Resolves once connected. If that takes longer than a second, resolves with the reason: a start need not wait for a cache. */
  whenReady(): Promise<Error | undefined>
  close(): Promise<void>
}

export function openRedis({ servers, timeoutMs, breaker, watch, onError }: OpenRedisOptions): RedisClients {
  const silenceMs = Math.max(SILENCE_MS, 5 * timeoutMs)
  const guard = <Client extends Redis>(redis: Client) =>
    lookBeforeTimeout(guardReplies(redis, { replyMaxMs: silenceMs }))
  const forCommands: CommonRedisOptions = {
    ...limits,
    commandTimeout: timeoutMs,
    // A connection can be dead without a sign. A new one may work.
    socketTimeout: silenceMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  }
  // `hearChannel` subscribes at each connection. If ioredis did it, its failures would go unseen.
  const forSubscriptions: CommonRedisOptions = { ...limits, maxRetriesPerRequest: null, autoResubscribe: false }
  const cluster = servers.cluster && openCluster(servers.cluster, signIn(servers.url), forCommands)
  const commands = cluster ?? guard(openServer(servers, { ...forCommands, reconnectOnError: whereDemoted() }))
  cluster?.on('+node', guard)
  const subscriber = guardReplies(
    cluster
      ? openRoaming(cluster, servers.cluster ?? [], { ...signIn(servers.url), ...forSubscriptions })
      : openServer(servers, forSubscriptions),
    { subscribes: true, replyMaxMs: silenceMs },
  )
  // A single end point before a cluster may need READONLY before it reads from a replica. Other servers refuse it, which does no harm.
  const reader = servers.readerUrl ? guard(new Redis(servers.readerUrl, { ...forCommands, readOnly: true })) : undefined

  let last: Error | undefined
  const tell = (error: Error & { readonly lastNodeError?: Error }) => {
    last = error.lastNodeError ?? error
    onError(last)
  }
  const fromReplicas = servers.clusterReads === 'replicas' ? cluster : undefined
  const readFrom = reader ?? fromReplicas
  const clients = [commands, subscriber, ...(reader ? [reader] : [])]
  for (const client of clients) client.on('error', tell)
  cluster?.on('node error', tell)
  return {
    commands: new GuardedRedis(commands, { name: 'redis', ...breaker }),
    reader: readFrom && new GuardedRedis(readFrom, { name: 'redis reader', role: 'replica', ...breaker }),
    subscriber,
    watch: watchSubscriber(subscriber, { silenceMs: Math.max(PING_TIMEOUT_MS, timeoutMs), ...watch }),
    whenReady: () => {
      const ready = new Promise<undefined>((resolve) => commands.once('ready', () => resolve(undefined)))
      return inTime<Error | undefined>(ready, START_TIMEOUT_MS, () => last ?? new Error('Redis did not answer'))
    },
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
    Connector: guardedSentinels({ replyMaxMs: CONNECT_TIMEOUT_MS }),
    ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  })
}

function openCluster(nodes: readonly Address[], user: RedisOptions, options: CommonRedisOptions): Cluster {
  const { retryStrategy: clusterRetryStrategy, enableOfflineQueue, ...forNodes } = options
  return new Cluster([...nodes], {
    clusterRetryStrategy,
    enableOfflineQueue,
    // Most changes are found sooner: a node that lost a key refuses it.
    slotsRefreshInterval: MAP_INTERVAL_MS,
    // Certificates are checked against the name, so it must not become an address.
    dnsLookup: (host, done) => done(null, host),
    redisOptions: { ...user, ...forNodes },
  })
}

/** Listens at one node, since each hears what is published at any. Moves to another node if that one is lost, or leaves the cluster. */
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

/**
 * Makes a client read its socket once more before it fails a command by `commandTimeout`. Node runs timers before it reads
 * sockets: a process that was busy for longer than the time-out would blame Redis for its own delay. Returns the client.
 */
export function lookBeforeTimeout<Client extends Redis>(redis: Client): Client {
  const sendCommand = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    command.setTimeout = (ms) => {
      const fail = () => {
        if (!command.isResolved) command.reject(new Error('Command timed out'))
      }
      const timer = setTimeout(() => setImmediate(fail), ms)
      const cancel = () => clearTimeout(timer)
      command.promise.then(cancel, cancel)
    }
    return sendCommand(command, stream)
  }
  return redis
}

/** The user, the password, the database, and whether to use TLS. */
function signIn(url = ''): RedisOptions {
  const parsed = parseUrl(url)
  if (!parsed) return {}
  const { protocol, username, password, pathname } = parsed
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 && { db: Number(pathname.slice(1)) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  }
}

/** After a fail-over, a connection may lead to a server that takes no writes any more: reconnect. Seldom, because the URL itself may be that of a replica. */
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
const PING_TIMEOUT_MS = 1000
const MAP_INTERVAL_MS = 5000
const DEMOTED_REST_MS = 5000

const limits: CommonRedisOptions & Pick<RedisOptions, 'disconnectTimeout'> = {
  retryStrategy,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // CLIENT SETINFO would tell the server which library this is. A user of few rights is refused it, and the refusal is logged.
  disableClientInfo: true,
  // Otherwise a client that is broken already keeps its process alive for two seconds.
  disconnectTimeout: 100,
  // Nothing here needs RESP3, and some end points before a cluster hang up on HELLO.
  protocol: 2,
}
