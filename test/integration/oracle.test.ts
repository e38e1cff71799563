import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Dice } from './oracle/dice.ts'
import { mutations } from './oracle/mutations.ts'
import { OracleRun } from './oracle/oracle-run.ts'
import { queries } from './oracle/queries.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
const steps = Number(process.env.TEST_STEPS ?? 250)
const STEPS_BETWEEN_CHECKS = 100

let run: OracleRun

beforeAll(async () => {
  run = await OracleRun.begin(new Dice(seed))
})

afterAll(() => run?.end())

it(`answers as a server without a cache does, whatever was written by whom (TEST_SEED=${seed} TEST_STEPS=${steps})`, async () => {
  console.log(`TEST_SEED=${seed} TEST_STEPS=${steps} repeats this run.`)
  for (let step = 1; step <= steps; step++) {
    await run.step().catch((cause: Error) => {
      throw new Error(`Step ${step} of TEST_SEED=${seed}: ${cause.message}\n\n${run.recent.join('\n')}`, { cause })
    })
    if (step % STEPS_BETWEEN_CHECKS === 0 || step === steps) {
      expect({ step, wrongEntries: await run.wrongEntries() }).toEqual({ step, wrongEntries: [] })
    }
  }
  console.log(JSON.stringify(await run.figures()))
  const { answers, hitRatio, redisHits, rightEntries, wholeHits } = await run.figures()
  expect(hitRatio).toBeGreaterThan(0.4) // else nothing was put to the proof
  expect(wholeHits).toBeGreaterThan(answers / 2)
  expect(redisHits).toBeGreaterThan(0)
  expect(rightEntries).toBeGreaterThan(0)
}, 600_000)

it('leaves no query and no mutation of the schema out', async () => {
  expect(await run.rootFields()).toEqual({
    queries: Object.keys(queries).sort(),
    mutations: Object.keys(mutations).sort(),
  })
})
