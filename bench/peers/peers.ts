import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { getTestRun, startPostgres, startRedis } from '../../test/harness/index.ts'
import { pin, unpin } from '../pin.ts'
import { compareMemory } from './compare-memory.ts'
import { compareSpeed } from './compare-speed.ts'
import { createDataSet } from './data-set.ts'
import { createReference } from './reference.ts'
import { type Column, printEnvironment, printTable } from './report.ts'
import { requireWrk } from './run-wrk.ts'
import { CONTESTANTS, type Ring } from './start-contestant.ts'
import { workloads } from './workloads.ts'

/**
 * Compares Stet and its peers to Node's own HTTP server, which sends the same bytes. All have the same data, and each is
 * a process on the first core. The load, PostgreSQL and Redis run on the second.
 */
export async function peers(args: readonly string[]): Promise<void> {
  const { contestants, wanted, before, ...times } = parseOptions(args)
  requireWrk()
  console.error('Building what is measured …')
  for (const directory of before === undefined ? ['.'] : ['.', before]) {
    run('npm', '--prefix', directory, 'run', '--silent', 'build:server')
  }
  // This process, and all that it starts but contestants.
  pin(1)
  const postgres = await startPostgres()
  const redis = contestants.includes('stet+redis') ? await startRedis() : undefined
  try {
    const directory = mkdtempSync(join(getTestRun().directory, 'peers-'))
    console.error('Making 10,000 articles …')
    const data = await createDataSet(postgres.url, directory)
    const ring: Ring = { data, directory, redisUrl: redis?.url, before, reference: createReference(data.rows) }
    printEnvironment(times)
    const columns: Column[] = []
    for (const name of wanted) {
      const workload = workloads[name]
      const compared = workload
        ? await compareSpeed(ring, { name, workload, contestants, ...times })
        : await compareMemory(ring, contestants)
      columns.push(...compared)
    }
    printTable(contestants, columns)
  } finally {
    await Promise.all([postgres.stop(), redis?.stop()])
    unpin()
  }
}

const MEMORY = 'memory'

function parseOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      contestants: { type: 'string' },
      before: { type: 'string' },
      workloads: { type: 'string', default: [...Object.keys(workloads), MEMORY].join() },
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '10' },
    },
  })
  const { before } = values
  const known = CONTESTANTS.filter((name) => name !== 'stet-before' || before !== undefined)
  const chosen = choose('contestants', values.contestants ?? known.join(), known)
  // All figures are shares of bare Node's, and an earlier Stet is named to be compared.
  const contestants = known.filter((name) => name === 'node' || name === 'stet-before' || chosen.includes(name))
  const wanted = choose('workloads', values.workloads, [...Object.keys(workloads), MEMORY])
  return {
    contestants,
    wanted,
    before,
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
    warmUpSeconds: Number(values['warm-up']),
  }
}

function choose(option: string, given: string, known: readonly string[]): readonly string[] {
  const chosen = given.split(',')
  const unknown = chosen.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`--${option}: ${unknown.join()} is none of ${known.join()}`)
  return chosen
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
}
