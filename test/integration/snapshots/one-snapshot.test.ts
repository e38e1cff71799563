import { randomInt } from 'node:crypto'
import { afterAll, expect, it } from '@jest/globals'
import { Random } from '../../../src/kernel/random.ts'
import { type GraphQLClient, readMetric, type TestNode } from '../../harness/index.ts'
import { type AccountWorld, ask, createAccountWorld } from './account-world.ts'

/** Amounts, authors and tags move by transactions while three nodes are asked for them: no answer shows two moments. */
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
const answers = Number(process.env.TEST_ANSWERS ?? 120)

const NO_CACHE: Record<string, string> = { 'cache-control': 'no-cache' }

const worlds: AccountWorld[] = []

afterAll(async () => {
  for (const world of worlds) await world.end()
})

it(`shows one moment in each answer (TEST_SEED=${seed} TEST_ANSWERS=${answers})`, async () => {
  const { nodes, run } = await begin()
  const told = await run(answers)
  const madeAgain = await sum(nodes, 'stet_answers_made_again_total', {})
  const inTransactions = await sum(nodes, 'stet_answers_made_again_total', { attempt: '3' })
  console.log(
    `TEST_SEED=${seed} TEST_ANSWERS=${answers} repeats this run.`,
    JSON.stringify({ ...told, madeAgain, inTransactions }),
  )
  expect(told.wrong).toEqual([])
  expect(told.errors).toEqual([])
  // Otherwise it would have proved nothing.
  expect(madeAgain).toBeGreaterThan(answers / 1000)
}, 3_600_000)

it('would show several moments if nobody looked', async () => {
  const { nodes, run } = await begin()
  for (const { cache } of nodes) {
    Object.defineProperty(cache, 'snapshot', {
      value: async (make: Parameters<typeof cache.snapshot>[0], reader: object) => ({
        value: await make(reader),
        epoch: '',
        position: 0,
        entries: [],
      }),
    })
  }
  const { wrong } = await run(Math.min(answers, 400))
  expect(wrong.length).toBeGreaterThan(0)
}, 300_000)

async function begin() {
  const world = await createAccountWorld()
  worlds.push(world)
  // Kept answers are whole. Without them every answer is made.
  const nodes = [
    await world.startNode(),
    await world.startNode(),
    await world.startNode({ environment: { CACHE_RESPONSES: 'off' } }),
  ]
  return { nodes, run: (answers: number) => runMoves(world, nodes, answers) }
}

async function runMoves(world: AccountWorld, nodes: readonly TestNode[], answers: number) {
  const random = new Random(seed)
  const wrong: string[] = []
  const errors: string[] = []
  const moving = new Set<Promise<void>>()
  let asked = 0
  let moved = 0
  const admins = nodes.map(({ admin }) => admin)
  /** Begins another move, while the next answer is made. */
  const move = () => {
    if (moving.size === 2 || random.below(3) > 0) return
    moved++
    const begun = world
      .move(random, admins)
      .catch((error) => void errors.push(String(error)))
      .finally(() => moving.delete(begun))
    moving.add(begun)
  }
  const read = async (client: GraphQLClient, headers: () => Record<string, string>) => {
    while (asked < answers) {
      asked++
      move()
      const answer = await ask(random, client, headers())
      errors.push(...answer.errors)
      if (answer.wrong) wrong.push(answer.wrong)
    }
  }
  await Promise.all(
    nodes.flatMap(({ visitor, admin }) => [
      ...Array.from({ length: 4 }, () => read(visitor, () => ({}))),
      read(admin, () => (random.below(20) === 0 ? NO_CACHE : {})),
    ]),
  )
  await Promise.all(moving)
  return { asked, moved, wrong, errors }
}

async function sum(nodes: readonly TestNode[], name: string, labels: Record<string, string>): Promise<number> {
  const counts = await Promise.all(nodes.map(({ url }) => readMetric(url, name, labels)))
  return counts.reduce((total, count) => total + count, 0)
}
