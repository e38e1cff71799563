import { randomInt } from 'node:crypto'
import { afterAll, expect, it } from '@jest/globals'
import { allScenarios } from './all-scenarios.ts'
import { ChaosRun } from './chaos-run.ts'

/** The short form: every ninth scenario for a moment, without those that take longer. `npm run test:chaos` is the long one. */
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
const scenarios = (await allScenarios())
  .filter(({ onlyLong }) => !onlyLong)
  .filter((_scenario, index) => index % 9 === seed % 9)
const run = new ChaosRun()

afterAll(async () => {
  await run.endWorld()
  console.log(`TEST_SEED=${seed} repeats what was chosen.\n${run.summary()}`)
})

it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  `%s, and no answer is wrong (TEST_SEED=${seed})`,
  async (_name, scenario) => {
    const { requests, writes, violations } = await run.run(scenario, { seed, forMs: WORK_MS })
    expect(violations.join('\n\n')).toBe('')
    expect({ requests: requests > 0, writes: writes > 0 }).toEqual({ requests: true, writes: true })
  },
  120_000,
)

const WORK_MS = 1500
