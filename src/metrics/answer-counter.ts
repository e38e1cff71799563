import { Counter, type Metric, type Registry } from 'prom-client'
import type { CacheWord } from '../graphql/resolving/index.ts'

export interface Answered {
  /** `query`, `mutation`, or `none` where it is no operation. */
  readonly operation: string
  /** Where it came from. */
  readonly word: CacheWord
  /** Whether it was kept whole. */
  readonly whole: 'hit' | 'stale' | 'miss' | 'uncached'
  readonly seconds: number
}

/**
 * Counts and times answers. To tell prom-client of each would take a tenth of the time that a hit does: they are added up
 * here, and told when it is asked.
 */
export class AnswerCounter {
  readonly #durations: Durations[] = []
  readonly #byWhole = { hit: 0, stale: 0, miss: 0, uncached: 0 }

  constructor(registry: Registry) {
    registry.registerMetric(histogramOf(this.#durations))
    const counts = this.#byWhole
    new Counter({
      name: 'stet_response_cache_total',
      help: 'Answers, by whether they were kept whole: hit, stale, miss, or uncached where they may not be',
      labelNames: ['result'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [result, count] of Object.entries(counts)) if (count > 0) this.inc({ result }, count)
      },
    })
  }

  add({ operation, word, whole, seconds }: Answered): void {
    this.#byWhole[whole]++
    const durations = this.#durationsOf(operation, word)
    durations.count++
    durations.sum += seconds
    let bucket = 0
    while (seconds > (BOUNDS[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    durations.buckets[bucket] = (durations.buckets[bucket] ?? 0) + 1
  }

  #durationsOf(operation: string, word: CacheWord): Durations {
    // There are a handful.
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
  /** How many took no longer than each bound, but longer than the one before; last, those beyond them all. */
  readonly buckets: number[]
}

/** In seconds. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** As prom-client reads one. Its own can't be given what was counted elsewhere. */
function histogramOf(all: readonly Durations[]): Metric {
  const about = { name: 'stet_graphql_request_seconds', help: 'Time a GraphQL request took', type: 'histogram' }
  const valuesOf = ({ operation, word, count, sum, buckets }: Durations) => {
    const labels = { operation, cache: word.toLowerCase() }
    let upTo = 0
    const cumulative = [...BOUNDS, '+Inf'].map((le, bucket) => {
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
