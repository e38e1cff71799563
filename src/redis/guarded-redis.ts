import type { Cluster, Redis } from 'ioredis'
import { Breaker, type BreakerOptions, type BreakerState } from './breaker.ts'
import { keySlot } from './key-slot.ts'

/**
 * The breakers of a `GuardedRedis`.
 *
 * @example
 * const options: GuardedRedisOptions = { failures: 3, onBreaker: (name, state) => console.log(`${name} is ${state}`) }
 */
export interface GuardedRedisOptions extends Pick<BreakerOptions, 'failures' | 'resetMs'> {
  /** The name of the breaker, for metrics and logs. In a cluster, each node's address follows it. Default `redis`. */
  readonly name?: string
  /** Which node of a cluster is asked about a key: its master, or a replica, which may lag and takes no writes. Default `master`. */
  readonly role?: 'master' | 'replica'
  /** Called for every breaker and each of its changes. `gone`: its node has left the cluster. */
  readonly onBreaker?: (name: string, state: BreakerState | 'gone', why?: Error) => void
}

/**
 * One Redis server, or the nodes of a Redis Cluster, with a breaker before each. Let everything that a process sends go through one of
 * these: then the process learns once that a node is unwell, and leaves it alone.
 *
 * Of a cluster, ioredis keeps the connections and the map of slots; commands go straight to the nodes. So one pipeline may have
 * keys of many slots, and no command waits for a redirection. A node that no longer has a key refuses it, and the map is read again.
 *
 * @example
 * const redis = new GuardedRedis(new Redis(url, { enableOfflineQueue: false, commandTimeout: 1000 }))
 * const tier = new RedisTier({ redis, onError })
 * const loudspeaker = new RedisLoudspeaker({ publisher: redis, subscriber, channel, onError })
 */
export class GuardedRedis {
  readonly client: Redis | Cluster
  readonly #options: GuardedRedisOptions
  readonly #scripts = new Map<string, RedisScript>()
  readonly #nodes = new Map<string, RedisNode>()
  readonly #only: RedisNode | undefined
  /** Chooses among replicas: the same one every time, so that reads of one turn go out in one pipeline. */
  readonly #favourite = Math.random()
  #mapReadAtMs = 0

  constructor(client: Redis | Cluster, options: GuardedRedisOptions = {}) {
    this.client = client
    this.#options = options
    if (isCluster(client)) this.#follow(client)
    else this.#only = this.#makeNode(options.name ?? 'redis', client, false)
  }

  /** A bare client with a guard of its own. A guarded one as it is. */
  static of(redis: Redis | Cluster | GuardedRedis): GuardedRedis {
    return redis instanceof GuardedRedis ? redis : new GuardedRedis(redis)
  }

  /** How long a command may take, in milliseconds. Undefined: for ever. */
  get commandTimeout(): number | undefined {
    const { client } = this
    return (isCluster(client) ? client.options.redisOptions : client.options)?.commandTimeout
  }

  /** Adds a command to every client from now on. */
  define(name: string, script: RedisScript): void {
    this.#scripts.set(name, script)
  }

  /** The node that serves `key`. Undefined if the map of slots names none. */
  nodeFor(key: string): RedisNode | undefined {
    if (this.#only) return this.#only
    const [master, ...replicas] = (this.client as Cluster).slots[keySlot(key)] ?? []
    const replica = this.#options.role === 'replica' ? this.#chooseReplica(replicas) : undefined
    const node = replica ?? (master === undefined ? undefined : this.#nodes.get(master))
    if (!node) this.#readMap()
    return node
  }

  /** Every node that takes writes. */
  masters(): RedisNode[] {
    if (this.#only) return [this.#only]
    return (this.client as Cluster).nodes('master').flatMap((redis) => this.#nodes.get(addressOf(redis)) ?? [])
  }

  /** Sends one command for each key, in one round trip per node. Resolves with the replies in the order of `keys`. Rejects if any failed. */
  async each(
    keys: readonly string[],
    ask: (client: Redis, key: string) => Promise<unknown>,
  ): Promise<readonly unknown[]> {
    const byNode = new Map<RedisNode | undefined, string[]>()
    for (const key of keys) {
      const node = this.nodeFor(key)
      const theirs = byNode.get(node) ?? []
      byNode.set(node, theirs)
      theirs.push(key)
    }
    const answers = new Map<string, unknown>()
    await Promise.all(
      [...byNode].map(async ([node, theirs]) => {
        const bodies = await sendTo(node, (client) => theirs.map((key) => ask(client, key)))
        for (const [index, key] of theirs.entries()) answers.set(key, bodies[index])
      }),
    )
    return keys.map((key) => answers.get(key))
  }

  /** Sends one pipeline to the node that serves `key`. Resolves with its replies in order. Rejects if any command failed. */
  at(key: string, ask: Ask): Promise<readonly unknown[]> {
    return sendTo(this.nodeFor(key), ask)
  }

  /** Reaches all subscribers of `channel`, whatever node they listen at. */
  async publish(channel: string, message: string): Promise<void> {
    const masters = this.masters()
    // `admits` is asked of every master, because it sends the probes.
    const [node] = [...masters.filter((master) => master.admits()), ...masters]
    await sendTo(node, (client) => [client.publish(channel, message)])
  }

  /** A replica that is well. Undefined if there is none. */
  #chooseReplica(addresses: readonly string[]): RedisNode | undefined {
    const first = Math.floor(this.#favourite * addresses.length)
    const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)].flatMap(
      (address) => this.#nodes.get(address) ?? [],
    )
    return inTurn.find((node) => node.admits())
  }

  #follow(cluster: Cluster): void {
    const join = (redis: Redis) => {
      const address = addressOf(redis)
      const node = this.#nodes.get(address)
      if (node) node.client = redis
      else this.#nodes.set(address, this.#makeNode(`${this.#options.name ?? 'redis'} ${address}`, redis, true))
    }
    // The connection is lost, or the node has left the cluster. Only the map can tell which.
    const leave = (redis: Redis) => {
      const node = this.#nodes.get(addressOf(redis))
      if (node?.client !== redis) return
      node.client = undefined
      this.#readMap()
    }
    const tidy = () => {
      const present = new Set(cluster.nodes().map(addressOf))
      for (const [address, { name }] of this.#nodes) {
        if (present.has(address)) continue
        this.#nodes.delete(address)
        this.#options.onBreaker?.(name, 'gone')
      }
    }
    for (const redis of cluster.nodes()) join(redis)
    cluster.on('+node', join).on('-node', leave).on('refresh', tidy)
  }

  #makeNode(name: string, client: Redis, bySlot: boolean): RedisNode {
    const { failures, resetMs, onBreaker } = this.#options
    const onState = (state: BreakerState, why?: Error) => onBreaker?.(name, state, why)
    const readMap = () => this.#readMap()
    onState('closed')
    return new RedisNode({ name, client, bySlot, scripts: this.#scripts, readMap, failures, resetMs, onState })
  }

  /** In the background, and at most once in `MAP_REST_MS`: every map costs a node time. */
  #readMap(): void {
    if (!isCluster(this.client) || this.client.status !== 'ready') return
    if (performance.now() < this.#mapReadAtMs + MAP_REST_MS) return
    this.#mapReadAtMs = performance.now()
    this.client.refreshSlotsCache()
  }
}

/** Sends commands, at once and all that there are. Returns their promises in order. HAZARD: it must not throw, because nobody would hear of what it had sent. */
export type Ask = (client: Redis) => readonly Promise<unknown>[]

/** The outcome of one command of a pipeline. */
export type Reply = readonly [error: Error | null, body: unknown]

export interface RedisScript {
  readonly lua: string
  /** How many of its arguments are keys. Default: the first argument says how many. */
  readonly numberOfKeys?: number
}

interface RedisNodeOptions extends Omit<BreakerOptions, 'probe'> {
  readonly name: string
  readonly client: Redis
  readonly bySlot: boolean
  readonly scripts: ReadonlyMap<string, RedisScript>
  /** Called where the map of slots may be out of date. */
  readonly readMap: () => void
}

/** One server, and its breaker. */
export class RedisNode {
  readonly name: string
  /** Undefined while there is no connection to the server, and none being made. */
  client: Redis | undefined
  readonly #scripts: ReadonlyMap<string, RedisScript>
  readonly #breaker: Breaker
  readonly #readMap: () => void
  #bySlot: boolean

  constructor({ name, client, bySlot, scripts, readMap, ...breaker }: RedisNodeOptions) {
    this.name = name
    this.client = client
    this.#bySlot = bySlot
    this.#scripts = scripts
    this.#readMap = readMap
    this.#breaker = new Breaker({ ...breaker, probe: () => this.#probe() })
  }

  /** False while the breaker is open: then it refuses everything that is sent. */
  admits(): boolean {
    return this.#breaker.admits()
  }

  /** One command may name several keys only if they are of the same group. */
  groupOf(key: string): number {
    return this.#bySlot ? keySlot(key) : 0
  }

  /**
   * Sends one pipeline. Rejects if a reply did not come in time. While the breaker is open, rejects at once without calling `ask`.
   * A command that Redis refuses does not reject: its reply has the error.
   *
   * The socket is corked meanwhile. The pipelines of ioredis send as few packets, but have getters of their own: V8 keeps what those
   * see, every command and reply, until its next full collection.
   */
  send(ask: Ask): Promise<readonly Reply[]> {
    return this.#breaker.run(async () => {
      const client = this.#connected()
      // The client may be a new one.
      for (const [name, script] of this.#scripts) if (!(name in client)) client.defineCommand(name, script)
      const replies = await Promise.all(corked(client, ask).map(toReply))
      for (const [error] of replies) {
        if (!error) continue
        if (!isReply(error)) throw error
        this.#heed(error)
      }
      return replies
    })
  }

  async #probe(): Promise<void> {
    await this.#connected()
      .ping()
      .catch((error: Error) => {
        if (!isReply(error)) throw error
      })
  }

  /** Only a new map brings a lost connection back, or says who serves its slots now. */
  #connected(): Redis {
    if (this.client) return this.client
    this.#readMap()
    throw unserved()
  }

  #heed({ message }: Error): void {
    // A single end point before a cluster, such as ElastiCache Serverless, has all keys, and still refuses commands across slots.
    if (message.startsWith('CROSSSLOT')) this.#bySlot = true
    else if (/^(MOVED|ASK|CLUSTERDOWN|READONLY) ?/.test(message)) this.#readMap()
  }
}

/** The replies to one pipeline, in order. Rejects if there is no such node, or any command failed. */
async function sendTo(node: RedisNode | undefined, ask: Ask): Promise<readonly unknown[]> {
  if (!node) throw unserved()
  const replies = await node.send(ask)
  return replies.map(([error, body]) => {
    if (error) throw error
    return body
  })
}

/** Whatever is sent meanwhile goes out together. There is no socket before the first connection is made. */
function corked<T>(client: Redis, send: (client: Redis) => T): T {
  const socket: Redis['stream'] | undefined = client.stream
  socket?.cork()
  try {
    return send(client)
  } finally {
    socket?.uncork()
  }
}

const toReply = (command: Promise<unknown>): Promise<Reply> =>
  command.then(
    (body) => [null, body],
    (error: Error) => [error, undefined],
  )

// Not by `instanceof`: the caller may have another copy of ioredis than the one that is bundled here.
const isCluster = (client: Redis | Cluster): client is Cluster => client.isCluster
const isReply = ({ name }: Error): boolean => name === 'ReplyError'

/** In the form that the map of slots of ioredis has. */
const addressOf = ({ options }: Redis): string => `${options.host}:${options.port}`

const unserved = (): Error => new Error('No node of the Redis Cluster serves this now')

const MAP_REST_MS = 200
