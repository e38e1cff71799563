import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { CacheObserver, Ledger } from '../cache/index.ts'
import type { Database, ReplicaState } from '../database/index.ts'
import type { AllowanceObserver } from '../graphql/resolving/index.ts'
import type { Follower, FollowerObserver, TriggerWatch } from '../invalidation/index.ts'
import type { BreakerState } from '../redis/index.ts'
import type { QueueState, Worker, WorkerObserver } from '../worker/index.ts'
import { AnswerCounter, DURATION_BOUNDS, LookUpCounter } from './hot-counters.ts'

/**
 * The metrics of a node or a worker, as observers to pass to what they measure. Each instance has its own registry, so that
 * several nodes can run in one process. `docs/reference.md` lists every metric, and a test keeps the two in step.
 */
export class Metrics {
  readonly registry = new Registry()

  readonly #loads = this.#histogram('stet_cache_load_seconds', 'Time that a load from the source took', 'kind')
  readonly #stale = this.#counter('stet_stale_served_total', 'Entries that were served stale', 'why')
  readonly #remoteErrors = this.#counter(
    'stet_redis_errors_total',
    'Redis pipelines that failed, timed out, or were not sent because a breaker was open',
  )
  readonly #invalidations = this.#counter('stet_invalidations_total', 'Log records applied here, by source', 'source')
  readonly #lag = this.#histogram(
    'stet_invalidation_lag_seconds',
    "From a write to its application, by this node's clock",
  )
  readonly #statements = this.#counter('stet_sql_statements_total', 'SQL statements sent', 'kind')
  readonly #applied = this.#counter('stet_queue_applied_total', 'Jobs that were applied', 'queue')
  readonly #again = this.#counter('stet_queue_redelivered_total', 'Jobs that came again and were not applied', 'queue')
  readonly #costs = new Histogram({
    name: 'stet_operation_cost',
    help: 'What operations cost that were run, as the schema prices their fields',
    buckets: [10, 100, 1000, 10_000, 100_000],
    registers: [this.registry],
  })
  readonly #breakers: Gauge<'name'>
  readonly #replica: Gauge<'state'>
  #watched: Watched | undefined

  constructor() {
    collectDefaultMetrics({ register: this.registry })
    this.#gauge('stet_ledger_position', 'Last log position that this node knows', ({ ledger }) => ledger.seen)
    this.#gauge(
      'stet_ledger_lag',
      "Seconds since this node last read the log's tip",
      ({ follower }) => follower.unsureForMs / 1000,
    )
    this.#gauge('stet_ledger_tags', 'Tags that the ledger remembers', ({ ledger }) => ledger.size)
    this.#gauge(
      'stet_triggers_off',
      'Triggers that must be on and are not: while there are any, writes may be missing from the log',
      ({ triggers }) => triggers.off.length,
    )
    this.#limitGauges('loads', { running: 'Loads under way on the primary', waiting: 'Loads that wait to run' })
    this.#limitGauges('writes', { running: 'Writes of requests under way', waiting: 'Writes that wait to run' })
    this.#queueGauge('stet_queue_depth', 'Jobs that wait in a queue', ({ depth }) => depth)
    this.#queueGauge('stet_queue_lag_seconds', 'How long the oldest job has waited', ({ lagMs }) => lagMs / 1000)
    this.#queueGauge('stet_queue_dead', 'Jobs that could not be applied and were kept', ({ dead }) => dead)
    this.#linkGauge()
    this.#breakers = new Gauge({
      name: 'stet_breaker_state',
      help: 'The breaker of a Redis server: 0 closed, 1 half open, 2 open',
      labelNames: ['name'],
      registers: [this.registry],
    })
    this.#replica = new Gauge({
      name: 'stet_replica_state',
      help: 'What is known of the replica: 1 for the state that it is in. It is read only while it is `well`',
      labelNames: ['state'],
      registers: [this.registry],
    })
  }

  readonly cache: CacheObserver = {
    onRequest: new LookUpCounter(
      this.registry,
      'stet_cache_requests_total',
      'Look-ups in a cache tier. `corrupt`: it held what is no entry of this kind. `future`: an entry as of a position that the log has not reached. `lost`: one as of a record that the log does not hold',
    ).add,
    onLoad: (kind, seconds) => this.#loads.observe({ kind }, seconds),
    onFlightJoined: this.#tally('stet_cache_flights_joined_total', 'Look-ups that waited for a load under way'),
    onLeaseAwaited: this.#tally('stet_cache_leases_awaited_total', 'Look-ups that waited for another node to load'),
    onMadeAgain: this.#tally(
      'stet_answers_made_again_total',
      'Times that what an answer showed was no single snapshot of the database. The third time it is read in one transaction',
      'attempt',
    ),
    onStaleServed: (_kind, why) => this.#stale.inc({ why }),
    onRefresh: this.#tally('stet_cache_refreshes_total', 'Loads in the background', 'kind', 'why'),
    onRefreshError: this.#tally('stet_cache_refresh_errors_total', 'Background loads that failed', 'kind'),
    onOversized: this.#tally('stet_cache_oversized_total', 'Values that were too large to be stored', 'kind'),
    onRemoteError: () => this.#remoteErrors.inc(),
  }

  readonly follower: FollowerObserver = {
    onAdvance: (records, source) => {
      this.#invalidations.inc({ source }, records.length)
      const nowUs = Date.now() * 1000
      for (const { writtenAtUs } of records) this.#lag.observe({}, Math.max(0, nowUs - writtenAtUs) / 1e6)
    },
    onGap: this.#tally('stet_ledger_gaps_total', 'Messages whose predecessors did not arrive, or are of another past'),
    onNewEpoch: this.#tally('stet_ledger_epochs_total', "Times that the log's history was another one"),
    onError: this.#tally('stet_ledger_errors_total', 'Times that the log could not be read'),
  }

  readonly worker: WorkerObserver = {
    onApplied: (queue, entries, again) => {
      this.#applied.inc({ queue }, entries)
      this.#again.inc({ queue }, again)
    },
    onRefused: this.#tally('stet_queue_refused_total', 'Jobs that a queue did not take', 'queue'),
    onDropped: this.#tally(
      'stet_queue_dropped_total',
      'Jobs that could not be applied and are lost: no room among the dead letters, or no Redis to keep them',
      'queue',
    ),
    onError: this.#tally('stet_queue_errors_total', 'Times that applying a queue failed', 'queue'),
    onJobError: this.#tally('stet_job_errors_total', 'Times that a periodic job failed', 'job'),
  }

  readonly allowances: AllowanceObserver = {
    onExceeded: this.#tally(
      'stet_rate_limit_exceeded_total',
      'Requests of clients that had spent all that they may: refused in the mode `enforce`',
      'mode',
    ),
    onRedisError: () => this.#remoteErrors.inc(),
  }

  readonly onPriced = (cost: number): void => this.#costs.observe(cost)
  readonly onStatement = ({ kind }: { readonly kind: string }): void => this.#statements.inc({ kind })
  readonly onRedisRoundTrip: () => void = this.#tally('stet_redis_round_trips_total', 'Pipelines sent to Redis')
  readonly onForgedMessage: () => void = this.#tally(
    'stet_redis_forged_messages_total',
    'Messages in Redis that were ignored, because they were not signed with CACHE_SECRET',
  )
  readonly onLinkCut: (link: string) => void = this.#tally(
    'stet_links_cut_total',
    'Connections that tell this node of writes and were cut, because they were silent for too long',
    'link',
  )
  readonly onRedisError = (): void => this.#remoteErrors.inc()
  readonly onBreaker = (name: string, state: BreakerState | 'gone'): void => {
    if (state === 'gone') this.#breakers.remove({ name })
    else this.#breakers.set({ name }, BREAKER_STATES.indexOf(state))
  }
  readonly onReplicaState = ({ is }: ReplicaState): void => {
    for (const state of REPLICA_STATES) this.#replica.set({ state }, state === is ? 1 : 0)
  }
  readonly onReplicaFallback: (why: 'busy' | 'failed') => void = this.#tally(
    'stet_replica_fallbacks_total',
    'Loads that were meant for the replica and left to the primary: the replica was `busy`, or the load `failed` there',
    'why',
  )
  readonly onRefused: (why: string) => void = this.#tally(
    'stet_http_refused_total',
    'Requests and connections that were refused before anything of them was read as GraphQL',
    'why',
  )
  readonly onTokenRefused: (code: string) => void = this.#tally(
    'stet_tokens_refused_total',
    'Tokens that were refused: `UNAUTHENTICATED`, or `RATE_LIMITED` after too many of one address',
    'code',
  )
  readonly onAnswer = new AnswerCounter(this.registry).add

  /** Measures these at each scrape from now on. A queue whose state cannot be read has no metrics then. */
  watch(parts: Watched): void {
    this.#watched = parts
  }

  /** Counts its calls. The first arguments of a call are the values of the labels. */
  #tally(name: string, help: string, ...labelNames: string[]): (...labels: unknown[]) => void {
    const counter = this.#counter(name, help, ...labelNames)
    return (...labels) =>
      counter.inc(Object.fromEntries(labelNames.map((label, index) => [label, String(labels[index])])))
  }

  #counter<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  #histogram<Label extends string>(name: string, help: string, ...labelNames: Label[]): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets: [...DURATION_BOUNDS], registers: [this.registry] })
  }

  #limitGauges(of: 'loads' | 'writes', help: { readonly running: string; readonly waiting: string }): void {
    this.#gauge(`stet_database_${of}_running`, help.running, ({ database }) => database[of].running)
    this.#gauge(`stet_database_${of}_waiting`, help.waiting, ({ database }) => database[of].waiting)
  }

  #queueGauge(name: string, help: string, measure: (state: QueueState) => number): void {
    const read = async () => (await this.#watched?.worker.states()) ?? []
    new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers: [this.registry],
      async collect() {
        this.reset()
        for (const state of await read()) this.set({ queue: state.queue }, measure(state))
      },
    })
  }

  #linkGauge(): void {
    const read = () => Object.entries(this.#watched?.links ?? {})
    new Gauge({
      name: 'stet_link_up',
      help: 'Whether a connection that tells this node of writes is well: 1, or 0',
      labelNames: ['link'],
      registers: [this.registry],
      collect() {
        for (const [link, isWell] of read()) this.set({ link }, isWell() ? 1 : 0)
      },
    })
  }

  #gauge(name: string, help: string, measure: (watched: Watched) => number): void {
    const read = () => this.#watched && measure(this.#watched)
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read() ?? 0)
      },
    })
  }
}

interface Watched {
  readonly ledger: Pick<Ledger, 'seen' | 'size'>
  readonly follower: Pick<Follower, 'unsureForMs'>
  readonly triggers: Pick<TriggerWatch, 'off'>
  readonly database: Pick<Database, 'loads' | 'writes'>
  readonly worker: Pick<Worker, 'states'>
  readonly links: { readonly [link: string]: () => boolean }
}

const REPLICA_STATES: readonly ReplicaState['is'][] = ['unknown', 'well', 'away', 'unfit']
const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half-open', 'open']
