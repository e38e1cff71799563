import type { ChainableCommander, Cluster, Redis } from 'ioredis'
import { Breaker, type BreakerState } from './breaker.ts'
import { keySlot } from './key-slot.ts'

export interface GuardedRedisOptions {
  /** Names its breakers. Default `redis`; in a cluster each node's address follows. */
  readonly name?: string
  /** See `BreakerOptions`. */
  readonly failures?: number
  readonly resetMs?: number
  /** Which nodes of a cluster to ask about a key: its master, or a replica of it, which may lag and takes no writes. Default `master`. */
  readonly role?: 'master' | 'replica'
  /** Told of every breaker and its changes; `gone` where its node left the cluster. */
  readonly onBreaker?: (name: string, state: BreakerState | 'gone', why?: Error) => void
}

/**
 * Redis as one server, or as the nodes of a Redis Cluster, with a breaker before each. All that a process sends goes this
 * way, so that it learns once that a node is unwell, and then leaves it alone.
 *
 * Of a cluster it takes the nodes and the map of slots from ioredis, and sends to the nodes by itself: one pipeline may so
 * hold keys of many slots, and nobody waits for a redirection. Who asks a node that no longer has a key is refused by it,
 * and the map is read anew.
 */
export class GuardedRedis {
  readonly client: Redis | Cluster
  readonly #options: GuardedRedisOptions
  readonly #scripts = new Map<string, RedisScript>()
  readonly #nodes = new Map<string, RedisNode>()
  readonly #only: RedisNode | undefined
  /** Which of several replicas: the same every time, so that what is asked in one turn travels together. */
  readonly #favourite = Math.random()
  #mapReadAtMs = 0

  constructor(client: Redis | Cluster, options: GuardedRedisOptions = {}) {
    this.client = client
    this.#options = options
    if (isCluster(client)) this.#follow(client)
    else this.#only = this.#makeNode(options.name ?? 'redis', client, false)
  }

  /** What is guarded already, as it is; a client with a guard of its own. */
  static of(redis: Redis | Cluster | GuardedRedis): GuardedRedis {
    return redis instanceof GuardedRedis ? redis : new GuardedRedis(redis)
  }

  /** How long a command may take, in milliseconds. */
  get commandTimeout(): number | undefined {
    const { client } = this
    return (isCluster(client) ? client.options.redisOptions : client.options)?.commandTimeout
  }

  /** Adds a command that pipelines have from now on. */
  define(name: string, script: RedisScript): void {
    this.#scripts.set(name, script)
  }

  /** The node that serves `key`, as far as is known. */
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

  /** One command about each key, in one round trip per node. Answers in the order of `keys`; rejects where one failed. */
  async each(
    keys: readonly string[],
    ask: (pipeline: ChainableCommander, key: string) => unknown,
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
        if (!node) throw unserved()
        const replies = await node.send((pipeline) => {
          for (const key of theirs) ask(pipeline, key)
        })
        for (const [index, body] of bodiesOf(replies).entries()) answers.set(theirs[index] ?? '', body)
      }),
    )
    return keys.map((key) => answers.get(key))
  }

  /** One pipeline to the node that serves `key`. What its commands brought, in order; rejects where one failed. */
  async at(key: string, fill: (pipeline: ChainableCommander) => unknown): Promise<readonly unknown[]> {
    const node = this.nodeFor(key)
    if (!node) throw unserved()
    return bodiesOf(await node.send((pipeline) => void fill(pipeline)))
  }

  /** To whoever has subscribed to `channel`, at any node. */
  async publish(channel: string, message: string): Promise<void> {
    const masters = this.masters()
    // All are asked, since that is what sends a probe.
    const [node] = [...masters.filter((master) => master.admits()), ...masters]
    if (!node) throw unserved()
    bodiesOf(await node.send((pipeline) => pipeline.publish(channel, message)))
  }

  /** One that is well, undefined where there is none. */
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
    // Lost, or not a part of the cluster any more: only the map can tell.
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
    onBreaker?.(name, 'closed')
    return new RedisNode({
      name,
      client,
      bySlot,
      scripts: this.#scripts,
      failures,
      resetMs,
      onBreaker: (state, why) => onBreaker?.(name, state, why),
      onMoved: () => this.#readMap(),
    })
  }

  /** In the background, and seldom enough that the nodes have time for other things. */
  #readMap(): void {
    if (!isCluster(this.client) || this.client.status !== 'ready') return
    if (performance.now() < this.#mapReadAtMs + MAP_REST_MS) return
    this.#mapReadAtMs = performance.now()
    this.client.refreshSlotsCache()
  }
}

/** What came of a command of a pipeline. */
export type Reply = readonly [error: Error | null, body: unknown]

export interface RedisScript {
  readonly lua: string
  /** Absent: the first argument says. */
  readonly numberOfKeys?: number
}

interface RedisNodeOptions {
  readonly name: string
  readonly client: Redis
  readonly bySlot: boolean
  readonly scripts: ReadonlyMap<string, RedisScript>
  readonly failures: number | undefined
  readonly resetMs: number | undefined
  readonly onBreaker: (state: BreakerState, why?: Error) => void
  readonly onMoved: () => void
}

/** One server, and its breaker. */
export class RedisNode {
  readonly name: string
  /** Undefined while there is no connection to it, and none being made. */
  client: Redis | undefined
  readonly #scripts: ReadonlyMap<string, RedisScript>
  readonly #breaker: Breaker
  readonly #onMoved: () => void
  #bySlot: boolean

  constructor({ name, client, bySlot, scripts, failures, resetMs, onBreaker, onMoved }: RedisNodeOptions) {
    this.name = name
    this.client = client
    this.#bySlot = bySlot
    this.#scripts = scripts
    this.#onMoved = onMoved
    this.#breaker = new Breaker({ failures, resetMs, probe: () => this.#probe(), onState: onBreaker })
  }

  /** False while its breaker is open: what is sent to it now is refused. */
  admits(): boolean {
    return this.#breaker.admits()
  }

  /** Keys of the same group may be named by one command. */
  groupOf(key: string): number {
    return this.#bySlot ? keySlot(key) : 0
  }

  /**
   * Sends one pipeline. Rejects where an answer did not come in time, or at once while the breaker is open; `fill` isn't
   * called then. A command that was refused by Redis was answered: its reply holds the error.
   */
  send(fill: (pipeline: ChainableCommander) => void): Promise<readonly Reply[]> {
    return this.#breaker.run(async () => {
      const { client } = this
      if (!client) throw unserved()
      // A pipeline has what its client has, and the client may be new.
      for (const [name, script] of this.#scripts) if (!(name in client)) client.defineCommand(name, script)
      const pipeline = client.pipeline()
      fill(pipeline)
      const replies = (await pipeline.exec()) ?? []
      for (const [error] of replies) {
        if (!error) continue
        if (!isReply(error)) throw error
        this.#heed(error)
      }
      return replies
    })
  }

  async #probe(): Promise<void> {
    if (!this.client) throw unserved()
    await this.client.ping().catch((error: Error) => {
      if (!isReply(error)) throw error
    })
  }

  #heed({ message }: Error): void {
    // One end point before a cluster, such as that of ElastiCache Serverless, has all keys and yet minds their slots.
    if (message.startsWith('CROSSSLOT')) this.#bySlot = true
    else if (/^(MOVED|ASK|CLUSTERDOWN|READONLY) ?/.test(message)) this.#onMoved()
  }
}

/** Throws the first error among them. */
function bodiesOf(replies: readonly Reply[]): unknown[] {
  return replies.map(([error, body]) => {
    if (error) throw error
    return body
  })
}

// By what they say of themselves: whoever made the client may have another copy of ioredis than we do.
const isCluster = (client: Redis | Cluster): client is Cluster => client.isCluster
const isReply = ({ name }: Error): boolean => name === 'ReplyError'

/** As ioredis writes it in its map of slots. */
const addressOf = ({ options }: Redis): string => `${options.host}:${options.port}`

const unserved = (): Error => new Error('No node of the Redis Cluster serves this now')

const MAP_REST_MS = 200
