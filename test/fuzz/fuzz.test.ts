import { randomInt } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { runFuzz } from './fuzz-run.ts'

/** The short form. `npm run test:fuzz -- --requests 200000` is the long one. */
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
const REQUESTS = 1000

it(`answers ${REQUESTS} made-up requests, and an honest client all the while (TEST_SEED=${seed})`, async () => {
  const { faults, statuses } = await runFuzz({ seed, requests: REQUESTS })
  expect(faults.join('\n\n')).toBe('')
  // The requests are not so wrong that nothing of the API is reached.
  expect(statuses['200']).toBeGreaterThan(REQUESTS / 4)
})
