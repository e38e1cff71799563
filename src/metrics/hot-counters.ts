import { Counter, type Metric, type Registry } from 'prom-client'
import type { LookUpResult } from '../cache/index.ts'
import type { CacheWord } from '../graphql/resolving/index.ts'

export interface Answered {
  /** `query`, `mutation`, or `none` if the request holds no operation. */
  readonly operation: string
  /** Where the answer came from. */
  readonly word: CacheWord
  /** Whether the answer itself was in the cache. `uncached`: it may not be. */
  readonly whole: 'hit' | 'stale' | 'miss' | 'uncached'
  readonly seconds: number
}

/** Counts and times answers. Adds up by itself and tells prom-client at each scrape, which saves a hit a tenth of its time. */
export class AnswerCounter {
  readonly #durations: Durations[] = []
  readonly #byWhole = { hit: 0, stale: 0, miss: 0, uncached: 0 }

  constructor(registry: Registry) {
    registry.registerMetric(histogramOf(this.#durations))
    const counts = this.#byWhole
    new Counter({
      name: 'stet_response_cache_total',
      help: 'Answers, by whether they came from the cache: hit, stale, miss, or uncached if they may not be stored',
      labelNames: ['result'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [result, count] of Object.entries(counts)) if (count > 0) this.inc({ result }, count)
      },
    })
  }

  readonly add = ({ operation, word, whole, seconds }: Answered): void => {
    this.#byWhole[whole]++
    const durations = this.#durationsOf(operation, word)
    durations.count++
    durations.sum += seconds
    let bucket = 0
    while (seconds > (DURATION_BOUNDS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    durations.buckets[bucket] = (durations.buckets[bucket] ?? 0) + 1
  }

  #durationsOf(operation: string, word: CacheWord): Durations {
    // A search of the list is quick, because it has a handful of items.
    const known = this.#durations.find((it) => it.word === word && it.operation === operation)
    if (known) return known
    const first = { operation, word, count: 0, sum: 0, buckets: [] }
    this.#durations.push(first)
    return first
  }
}

interface Durations extends Pick<Answered, 'operation' | 'word'> {
  count: number
  /** In seconds. */
  sum: number
  /** How many took at most as long as each bound, but longer than the bound before it. The last one counts the rest. */
  readonly buckets: number[]
}

/** Upper bounds of the buckets of every histogram, in seconds. */
export const DURATION_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
]

/** A metric that prom-client reads like a histogram. Its own Histogram cannot be set to values that were counted elsewhere. */
function histogramOf(all: readonly Durations[]): Metric {
  const about = { name: 'stet_graphql_request_seconds', help: 'Time a GraphQL request took', type: 'histogram' }
  const valuesOf = ({ operation, word, count, sum, buckets }: Durations) => {
    const labels = { operation, cache: word.toLowerCase() }
    let upTo = 0
    const cumulative = [...DURATION_BOUNDS, '+Inf'].map((le, bucket) => {
      upTo += buckets[bucket] ?? 0
      return { metricName: `${about.name}_bucket`, labels: { ...labels, le }, value: upTo }
    })
    return [
      ...cumulative,
      { metricName: `${about.name}_sum`, labels, value: sum },
      { metricName: `${about.name}_count`, labels, value: count },
    ]
  }
  return { ...about, get: async () => ({ ...about, values: all.flatMap(valuesOf) }) } as unknown as Metric
}

/** Counts look-ups in a cache tier. Adds up by itself and tells prom-client at each scrape: a request may make hundreds. */
export class LookUpCounter {
  readonly #counts = new Map<string, Counts>()

  constructor(registry: Registry, name: string, help: string) {
    const counts = this.#counts
    new Counter({
      name,
      help,
      labelNames: ['kind', 'tier', 'result'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [kind, byTier] of counts) {
          for (const [tier, byResult] of Object.entries(byTier)) {
            for (const [result, count] of Object.entries(byResult))
              if (count > 0) this.inc({ kind, tier, result }, count)
          }
        }
      },
    })
  }

  readonly add = (kind: string, tier: keyof Counts, result: keyof Counts['memory']): void => {
    let counts = this.#counts.get(kind)
    if (!counts) {
      counts = { memory: { ...NONE }, redis: { ...NONE } }
      this.#counts.set(kind, counts)
    }
    counts[tier][result]++
  }
}

type Counts = Record<'memory' | 'redis', Record<LookUpResult, number>>

const NONE: Readonly<Record<LookUpResult, number>> = { hit: 0, stale: 0, miss: 0, corrupt: 0, future: 0, lost: 0 }
