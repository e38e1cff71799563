import { beginTestRun, endTestRun } from '../test/harness/index.ts'
import { asOf } from './as-of.ts'
import { codecs } from './codecs.ts'
import { compression } from './compression.ts'
import { eviction } from './eviction/eviction.ts'
import { fanOut } from './fan-out.ts'
import { hostile } from './hostile/hostile.ts'
import { memory } from './memory.ts'
import { peers } from './peers/peers.ts'
import { redisDown } from './redis-down.ts'
import { replicaHangs } from './replica-hangs.ts'
import { smallHeap } from './small-heap.ts'
import { snapshots } from './snapshots.ts'
import { staleness } from './staleness/staleness.ts'
import { writes } from './writes.ts'

const benchmarks: Record<string, (options: readonly string[]) => Promise<void>> = {
  'as-of': asOf,
  codecs,
  compression,
  eviction,
  'fan-out': fanOut,
  hostile,
  memory,
  'redis-down': redisDown,
  peers,
  'replica-hangs': replicaHangs,
  snapshots,
  'small-heap': smallHeap,
  staleness,
  writes,
}

/** `npm run bench -- <name> … [--option …]`. Each benchmark compares within one run, on servers that are started for it. */
const args = process.argv.slice(2)
const firstOption = args.findIndex((arg) => arg.startsWith('--'))
const wanted = firstOption < 0 ? args : args.slice(0, firstOption)
const options = args.slice(wanted.length)
const unknown = wanted.filter((name) => !(name in benchmarks))
if (wanted.length === 0 || unknown.length > 0) {
  console.error(`usage: npm run bench -- ${Object.keys(benchmarks).join(' | ')}`)
  process.exit(2)
}
await beginTestRun()
try {
  for (const name of wanted) await benchmarks[name]?.(options)
} finally {
  await endTestRun()
}
