import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { testToken } from '../../test/harness/index.ts'
import type { ContestantProcess } from './contestant-process.ts'
import { headersLikeStets } from './prepared-answer.ts'
import { checkAnswers } from './reference.ts'
import { type Column, printSpeed, type Turn } from './report.ts'
import { runWrk, writeLoad } from './run-wrk.ts'
import { sendRequests } from './send-requests.ts'
import { answers, type ContestantName, type Ring, startContestant } from './start-contestant.ts'
import { ARTICLE_IDS, single, type Workload } from './workloads.ts'

export interface SpeedOptions {
  readonly name: string
  readonly workload: Workload
  readonly contestants: readonly ContestantName[]
  readonly seconds: number
  readonly rounds: number
  /** How long each contestant serves the workload before the first round. */
  readonly warmUpSeconds: number
}

/** Contestants take turns under one workload (A B C … A B C …), so that what disturbs one disturbs all. */
export async function compareSpeed(ring: Ring, options: SpeedOptions): Promise<readonly Column[]> {
  const { name, workload, contestants, seconds, rounds, warmUpSeconds } = options
  const directory = join(ring.directory, name)
  writeLoad(workload, directory, await testToken('admin'))
  const running = new Map<ContestantName, ContestantProcess>()
  try {
    for (const contestant of contestants) {
      console.error(`${name}: warming up ${contestant} …`)
      const process = await warmUp(ring, contestant, workload)
      running.set(contestant, process)
      // V8 compiles what is seldom run, such as a write, only after a while.
      if (warmUpSeconds > 0) await runWrk(workload, { url: process.url, directory, seconds: warmUpSeconds, seed: 1 })
    }
    const turns = new Map<ContestantName, Turn[]>(contestants.map((contestant) => [contestant, []]))
    for (let round = 1; round <= rounds; round++) {
      console.error(`${name}: round ${round} of ${rounds} …`)
      for (const [contestant, process] of running) {
        const load = { url: process.url, directory }
        // A seed of its own: otherwise `unlike` would draw the same requests again.
        await runWrk(workload, { ...load, seconds: 1, seed: 2 * round })
        const before = await process.cpuMicros()
        const result = await runWrk(workload, { ...load, seconds, seed: 2 * round + 1 })
        const cpuMicros = (await process.cpuMicros()) - before
        turns.get(contestant)?.push({ ...result, cpuMicros })
      }
    }
    const wrong = new Map<ContestantName, number>()
    for (const [contestant, process] of running) {
      if (!answers(contestant)) continue
      if (workload.mutationsPerThousand) wrong.set(contestant, await countWrong(process))
      else await checkAnswers(process.url, { samples: workload.samples, reference: ring.reference })
    }
    return printSpeed({ name, about: workload.about, turns, wrong })
  } finally {
    for (const process of running.values()) await process.stop()
  }
}

async function warmUp(ring: Ring, name: ContestantName, workload: Workload): Promise<ContestantProcess> {
  const { warmUp, samples } = workload
  const [first = { query: '{ __typename }' }] = samples
  const process = await startContestant(ring, name, first)
  if (answers(name)) {
    await checkAnswers(process.url, { samples, reference: ring.reference })
    await sendRequests(process.url, warmUp)
  }
  if (name === 'stet') await checkHeaders(process.url)
  return process
}

/** How many of the hundred hottest articles are shown with a wrong title after the last write. */
async function countWrong(process: ContestantProcess): Promise<number> {
  await wait(500)
  const ids = ARTICLE_IDS.slice(0, 100)
  const truth = await process.titles(ids.map((_, index) => index + 1))
  if (truth.every((title) => !title.startsWith('Title '))) throw new Error(`${process.url} has refused every mutation`)
  const shown = await sendRequests(process.url, ids.map(single))
  return shown.filter((data, index) => (data as { article: { title: string } }).article.title !== truth[index]).length
}

/** Says so if Stet sends other headers than the contestants that only send. */
async function checkHeaders(url: string): Promise<void> {
  const { headers } = await fetch(`${url}/graphql?query={articles{totalCount}}`)
  const byNode = ['connection', 'content-length', 'date', 'keep-alive']
  const stets = [...headers.keys()].filter((header) => !byNode.includes(header)).sort()
  const prepared = Object.keys(headersLikeStets).sort()
  if (stets.join() !== prepared.join())
    console.log(`  Stet sends the headers ${stets}, bench/peers/prepared-answer.ts has ${prepared}.`)
}
