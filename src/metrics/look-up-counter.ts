import { Counter, type Registry } from 'prom-client'

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

  add(kind: string, tier: keyof Counts, result: keyof Counts['memory']): void {
    let counts = this.#counts.get(kind)
    if (!counts) {
      counts = { memory: { hit: 0, stale: 0, miss: 0, corrupt: 0 }, redis: { hit: 0, stale: 0, miss: 0, corrupt: 0 } }
      this.#counts.set(kind, counts)
    }
    counts[tier][result]++
  }
}

type Counts = Record<'memory' | 'redis', Record<'hit' | 'stale' | 'miss' | 'corrupt', number>>
