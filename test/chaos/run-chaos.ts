import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { beginTestRun, endTestRun } from '../harness/index.ts'
import { allScenarios } from './all-scenarios.ts'
import { ChaosRun } from './chaos-run.ts'

/** `npm run test:chaos -- --minutes 60`: one scenario after the other, again and again, each time with another seed. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: process.env.CHAOS_MINUTES ?? '5' },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: process.env.TEST_SEED ?? String(randomInt(2 ** 31)) },
    only: { type: 'string', default: '' },
  },
})
const minutes = Number(values.minutes)
const forMs = Number(values.seconds) * 1000
let seed = Number(values.seed)
const scenarios = (await allScenarios()).filter(({ name }) => name.includes(values.only))
if (!(minutes > 0 && forMs > 0 && Number.isSafeInteger(seed) && scenarios.length > 0)) {
  console.error(
    'usage: npm run test:chaos -- [--minutes 60] [--seconds <per scenario>] [--seed <number>] [--only <part of a name>]',
  )
  process.exit(2)
}

console.log(`${scenarios.length} scenarios, for ${minutes} minutes. --seed ${seed} repeats what is chosen.`)
await beginTestRun()
const endsAtMs = performance.now() + minutes * 60_000
const run = new ChaosRun()
let isFirst = true
try {
  for (let cycle = 1; isFirst || performance.now() < endsAtMs; cycle++) {
    for (const scenario of scenarios) {
      if (!isFirst && performance.now() >= endsAtMs) break
      isFirst = false
      const { requests, writes, blows, violations } = await run.run(scenario, { seed, forMs })
      console.log(
        `${cycle}. ${scenario.name} (--seed ${seed}): ${requests} requests, ${writes} writes, ${blows} blows, ${violations.length} violations`,
      )
      for (const violation of violations) console.log(`\n${violation}\n`)
      seed = (seed + 1000) % 2 ** 31
    }
    // What one world has been through shall not hide what the next would show.
    await run.endWorld()
  }
} finally {
  await run.endWorld()
  await endTestRun()
}
console.log(run.summary())
process.exit(run.isClean ? 0 : 1)
