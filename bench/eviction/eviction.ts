import { MemoryTier } from '../../src/cache/memory/memory-tier.ts'
import { median } from '../report.ts'
import { storedEntries } from '../stored-entries.ts'
import { policies } from './policies.ts'
import { drift, loop, type SizesByKind, stet, type Trace, zipf, zipfWithScans } from './traces.ts'

/** Compares policies for what leaves the memory tier when it is full: the share of requests that each answers, and its speed. */
export async function eviction(): Promise<void> {
  const sizes = await realSizes()
  const traces: Readonly<Record<string, (maxBytes: number) => Trace>> = {
    'Zipf(1.0)': same(zipf(sizes)),
    'Zipf(1.0), scans': same(zipfWithScans(sizes)),
    'drifting hot set': same(drift(sizes)),
    'loop of 1.2 × cache': (maxBytes) => loop(sizes, maxBytes),
    "Stet's queries": same(stet(sizes, { crawler: false })),
    'the same, crawler': same(stet(sizes, { crawler: true })),
  }
  const names = Object.keys(policies)
  console.log(`\neviction: hit ratio; the cache is a share of what all entries of the trace take`)
  console.log(`  ${'trace'.padEnd(22)} cache ${names.map((name) => name.padStart(10)).join('')}`)
  for (const [name, traceFor] of Object.entries(traces)) {
    const all = sum(traceFor(0).bytes)
    for (const share of [0.01, 0.05, 0.2]) {
      const maxBytes = Math.floor(share * all)
      const trace = traceFor(maxBytes)
      const ratios = names.map((policy) => replay(policy, trace, maxBytes).hits)
      const cells = ratios.map((ratio) => (100 * ratio).toFixed(1).padStart(10)).join('')
      console.log(`  ${name.padEnd(22)} ${`${share * 100} %`.padStart(5)} ${cells}`)
    }
  }
  const trace = stet(sizes, { crawler: true })
  const times = Object.fromEntries(names.map((name) => [name, { get: [] as number[], replay: [] as number[] }]))
  for (let round = 0; round < 7; round++) {
    for (const name of names) {
      const { nsPerRequest, nsPerGet } = replay(name, trace, Math.floor(0.05 * sum(trace.bytes)))
      times[name]?.replay.push(nsPerRequest)
      times[name]?.get.push(nsPerGet)
    }
  }
  console.log(`\neviction: speed, as a multiple of lru-cache's ("the same, crawler", 5 %)`)
  for (const what of ['get', 'replay'] as const) {
    const each = names.map((name) => median(times[name]?.[what] ?? []))
    const cells = each.map((ns) => ((each[0] ?? 0) / ns).toFixed(2).padStart(10)).join('')
    console.log(`  ${{ get: 'gets alone', replay: 'gets, and sets of misses' }[what].padEnd(28)} ${cells}`)
  }
}

const same = (trace: Trace) => () => trace

function replay(policy: string, { keys, bytes, requests }: Trace, maxBytes: number) {
  const cache = policies[policy]?.(maxBytes, sum(bytes) / bytes.length)
  if (!cache) throw new Error(policy)
  let hits = 0
  const startedAt = performance.now()
  for (const request of requests) {
    const key = keys[request] ?? ''
    if (cache.get(key)) hits++
    else cache.set(key, bytes[request] ?? 0)
  }
  const filledAt = performance.now()
  for (const request of requests) cache.get(keys[request] ?? '')
  const nsPer = (ms: number) => (ms * 1e6) / requests.length
  return {
    hits: hits / requests.length,
    nsPerRequest: nsPer(filledAt - startedAt),
    nsPerGet: nsPer(performance.now() - filledAt),
  }
}

/** The bytes that entries of each kind take in the memory tier. */
async function realSizes(): Promise<SizesByKind> {
  const sizes = new Map<string, readonly number[]>()
  for (const [kind, entries] of await storedEntries()) {
    sizes.set(
      kind,
      entries.map((entry) => {
        const tier = new MemoryTier({ maxBytes: 1e9 })
        tier.set(entry)
        return tier.bytes
      }),
    )
  }
  return sizes
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
