import { setTimeout as sleep } from 'node:timers/promises'
import { currentToken } from '../harness/index.ts'
import { Dice } from '../integration/oracle/dice.ts'
import { type AskedBy, bearerOf, checkAtRest } from './check-at-rest.ts'
import { checkHistory } from './checker/check-history.ts'
import { describeViolation } from './checker/describe-violation.ts'
import type { Violation } from './checker/violation.ts'
import { readAudit } from './history/audit.ts'
import type { Answer, History, Viewer } from './history/history.ts'
import { Recorder } from './history/recorder.ts'
import { NOT_NOW } from './not-now.ts'
import type { AnyScenario, Tolerance } from './scenario.ts'
import { Client } from './workload/client.ts'
import { SqlWriter } from './workload/sql-writer.ts'
import type { World } from './world.ts'

export interface RunOptions {
  readonly seed: number
  /** How long clients work. Longer, where the first blow takes longer, or a busy machine has not answered much by then. */
  readonly forMs: number
}

export interface Report {
  readonly requests: number
  /** How often each field of Query and Mutation was answered without an error. */
  readonly answered: Readonly<Record<string, number>>
  /** By code. */
  readonly errors: Readonly<Record<string, number>>
  /** Rows that were written. */
  readonly writes: number
  readonly blows: number
  /** What must not be, told with what led to it. */
  readonly violations: readonly string[]
}

/** Lets clients ask and write, while the scenario strikes; waits until all is well again; and judges what was answered. */
export async function runScenario(world: World, scenario: AnyScenario, options: RunOptions): Promise<Report> {
  const { servers } = world
  const recorder = new Recorder()
  const from = Number.parseInt(await currentToken(servers.databaseUrl), 10)
  const { clients, blows } = await work(world, scenario, recorder, options)
  await servers.heal()
  const asked = clients.flatMap(({ viewer, queries }) => queries.map((ask): AskedBy => ({ viewer, ask })))
  const atRest = await checkAtRest(world, asked)
  const history: History = { ...(await readAudit(servers.databaseUrl)), events: recorder.events, from }
  const answers = history.events.filter((event) => event.is === 'answer')
  const violations = [...checkHistory(history), ...atRest, ...unexpectedErrors(history, world, scenario.tolerates)]
  return {
    requests: answers.length,
    answered: countBy(answers.flatMap(({ error, field }) => (error ? [] : field))),
    errors: countBy(answers.flatMap(({ error }) => error?.code ?? [])),
    writes: history.writes.filter(({ position }) => position > from).length,
    blows,
    violations: violations
      .filter(({ kind }) => !scenario.tolerates?.losses?.some((loss) => loss === kind))
      .map((violation) => describeViolation(violation, history)),
  }
}

async function work(world: World, scenario: AnyScenario, recorder: Recorder, { seed, forMs }: RunOptions) {
  const { servers, nodes, content } = world
  const clients = await Promise.all(
    VIEWERS.map(
      async (viewer, number) =>
        new Client({
          name: `client ${number}`,
          viewer,
          bearer: await bearerOf(viewer),
          nodes,
          dice: new Dice(seed + number + 1),
          content,
          recorder,
          // A token makes a node look at the log: where all requests had one, nobody would miss a message.
          tokensPercent: number % 2 === 0 ? 90 : 30,
          patienceMs: scenario.patienceMs ?? 2000,
        }),
    ),
  )
  const psql = new SqlWriter({
    databaseUrl: () => servers.databaseUrl,
    dice: new Dice(seed + VIEWERS.length + 1),
    content,
    recorder,
  })
  const dice = new Dice(seed)
  const endsAtMs = performance.now() + forMs
  let isOver = false
  let blows = 0
  const strike = async () => {
    const pause = () => sleep(200 + dice.below(400))
    const hold = (leastMs: number, mostMs: number) => sleep(leastMs + dice.below(mostMs - leastMs + 1))
    try {
      do {
        await pause()
        await scenario.strike({
          servers,
          nodes,
          dice,
          note: (what) => recorder.note(what),
          lost: (ends) => recorder.record({ is: 'loss', ends, atMs: Date.now() }),
          hold,
        })
        blows++
        await pause()
      } while (performance.now() < endsAtMs || recorder.size < LEAST_EVENTS)
    } finally {
      isOver = true
    }
  }
  const over = () => isOver
  await Promise.all([strike(), psql.work(over), ...clients.map((client) => client.work(over, clients))])
  return { clients, blows }
}

/** Less puts nothing to the proof. */
const LEAST_EVENTS = 150

/** Who asks at the same time. */
const VIEWERS: readonly Viewer[] = ['admin', 'admin', 1, 2, 3, 'visitor', 'visitor']

function unexpectedErrors({ events }: History, { nodes }: World, { errors = NOT_NOW }: Tolerance = {}): Violation[] {
  const isExpected = ({ error }: Answer) => !error || ASKERS_OWN.includes(error.code) || errors.includes(error.code)
  return events.flatMap((event, number): Violation[] => {
    if (event.is !== 'answer' || isExpected(event)) return []
    const { code, message, requestId } = event.error ?? {}
    const logged = requestId === undefined ? [] : nodes.flatMap(({ log }) => linesWith(log, requestId))
    return [{ kind: 'unexpected error', message: [`${code}: ${message}`, ...logged].join('\n'), event: number }]
  })
}

const linesWith = (log: string, text: string): string[] => log.split('\n').filter((line) => line.includes(text))

/** What a request can be refused with where all is well. */
const ASKERS_OWN: readonly string[] = [
  ...['ROLLED_BACK', 'NO_SUCH_ROW', 'REFUSED_BY_SQL'],
  'BAD_USER_INPUT',
  'EMAIL_TAKEN',
  'FORBIDDEN',
  'NOT_FOUND',
  'SLUG_TAKEN',
  'UNAUTHENTICATED',
  'USERNAME_TAKEN',
  'USER_HAS_ARTICLES',
  'VERSION_CONFLICT',
]

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
