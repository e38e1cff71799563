import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { beginTestRun, endTestRun } from '../harness/index.ts'
import { type FuzzReport, runFuzz } from './fuzz-run.ts'

/** `npm run test:fuzz -- --requests 200000`. A fault names its request: `--seed S --from N --requests 1` sends that alone. */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: process.env.TEST_SEED ?? String(randomInt(2 ** 31)) },
  },
})
const [requests, from, seed] = [Number(values.requests), Number(values.from), Number(values.seed)]
if (!(requests > 0 && from >= 0 && Number.isSafeInteger(seed))) {
  console.error('usage: npm run test:fuzz -- [--requests 200000] [--seed <number>] [--from <number of a request>]')
  process.exit(2)
}

console.log(`${requests} requests. --seed ${seed} repeats them.`)
await beginTestRun()
const startedAt = performance.now()
let report: FuzzReport
try {
  const onProgress = (done: number) => {
    if (done % 10_000 === 0) console.log(`${done} after ${Math.round((performance.now() - startedAt) / 1000)} s`)
  }
  report = await runFuzz({ seed, requests, from, watchesMemory: requests >= 10_000, onProgress })
} finally {
  await endTestRun()
}
const { faults, statuses, codes, heldBytes } = report
for (const fault of faults) console.log(`\n${fault}`)
console.log(`\nanswers: ${JSON.stringify(statuses)}\ncodes: ${JSON.stringify(codes)}`)
console.log(`heap after each tenth: ${heldBytes.map((bytes) => `${Math.round(bytes / 2 ** 20)} MB`).join(', ')}`)
console.log(`faults: ${faults.length}, in ${Math.round((performance.now() - startedAt) / 1000)} s`)
process.exit(faults.length === 0 ? 0 : 1)
