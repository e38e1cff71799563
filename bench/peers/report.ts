import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { median } from '../report.ts'
import { CONNECTIONS, type Load } from './run-wrk.ts'

/** One contestant's part of one round. */
export interface Turn extends Load {
  readonly cpuMicros: number
}

export interface Held {
  readonly name: string
  /** Bytes for each answer, with the rows that it is made of. */
  readonly withRows: number
  /** Bytes for each other answer from the same rows. */
  readonly alone: number
}

/** What one workload came to, by contestant. */
export interface Column {
  readonly title: string
  readonly cells: ReadonlyMap<string, string>
}

export function printEnvironment(times: {
  readonly seconds: number
  readonly rounds: number
  readonly warmUpSeconds: number
}): void {
  const { seconds, rounds, warmUpSeconds } = times
  console.log(
    `\npeers: ${rounds} rounds of ${seconds} s each in turns, after ${warmUpSeconds} s, ${CONNECTIONS} connections, server and load on one core each`,
  )
  console.log(`  ${cpus()[0]?.model}, Node ${process.version}`)
  console.log(`  ${PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ')}`)
}

/**
 * Prints medians over the rounds. A ratio compares turns of the same round: `× node` by requests a second, `× CPU` by the
 * processor's time for each request. If `busy` is far from 100 %, other work took the core, and `× CPU` is the one to trust.
 */
export function printSpeed(results: {
  readonly name: string
  readonly about: string
  readonly turns: ReadonlyMap<string, readonly Turn[]>
  readonly wrong: ReadonlyMap<string, number>
}): readonly Column[] {
  const { name, about, turns, wrong } = results
  const cells = new Map<string, string>()
  const baseline = turns.get('node') ?? []
  console.log(`\n${name}: ${about}`)
  print([
    '',
    'per second',
    '× node',
    'from–to',
    'CPU µs',
    '× CPU',
    'busy',
    'p50 ms',
    'p99 ms',
    ...(wrong.size > 0 ? ['wrong'] : []),
  ])
  for (const [contestant, theirs] of turns) {
    const ratios = theirs.map((turn, round) => rate(turn) / rate(baseline[round] ?? turn))
    const shares = theirs.map((turn, round) => cpuMicrosEach(baseline[round] ?? turn) / cpuMicrosEach(turn))
    const failed = theirs.reduce((sum, turn) => sum + turn.failed, 0)
    const range = `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`
    cells.set(contestant, contestant === 'node' ? '1' : `${median(ratios).toFixed(3)} (${range})`)
    print([
      contestant,
      median(theirs.map(rate)).toFixed(0),
      median(ratios).toFixed(3),
      range,
      median(theirs.map(cpuMicrosEach)).toFixed(1),
      median(shares).toFixed(3),
      `${median(theirs.map(({ cpuMicros, micros }) => (100 * cpuMicros) / micros)).toFixed(0)} %`,
      median(theirs.map(({ p50Micros }) => p50Micros / 1000)).toFixed(2),
      median(theirs.map(({ p99Micros }) => p99Micros / 1000)).toFixed(2),
      ...(wrong.has(contestant) ? [`${wrong.get(contestant)} of 100`] : []),
      ...(failed > 0 ? [`${failed} FAILED`] : []),
    ])
  }
  const column = { title: `\`${name}\``, cells }
  if (wrong.size === 0) return [column]
  return [column, { title: 'wrong of 100', cells: new Map([...wrong].map(([each, count]) => [each, String(count)])) }]
}

export function printMemory(results: {
  readonly bodyBytes: number
  readonly held: readonly Held[]
  readonly answers: number
}): readonly Column[] {
  const { bodyBytes, held, answers } = results
  const ofBody = (bytes: number) => (bytes / bodyBytes).toFixed(2)
  console.log(`\nmemory: bytes for each of ${answers} distinct answers of ${bodyBytes.toFixed(0)} bytes`)
  print(['', 'first', '× body', 'another', '× body'])
  for (const { name, withRows, alone } of held) {
    print([name, withRows.toFixed(0), ofBody(withRows), alone.toFixed(0), ofBody(alone)])
  }
  return [{ title: '`memory`, × body', cells: new Map(held.map(({ name, alone }) => [name, ofBody(alone)])) }]
}

/** The table of docs/speed.md: all workloads of this run, as shares of what bare Node sends. */
export function printTable(contestants: readonly string[], columns: readonly Column[]): void {
  const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`)
  const day = new Date().toISOString().slice(0, 10)
  console.log(
    `\n${day}, \`npm run bench -- ${process.argv.slice(2).join(' ')}\`, ${cpus()[0]?.model}, Node ${process.version}:\n`,
  )
  line(['', ...columns.map(({ title }) => title)])
  line(['', ...columns].map(() => '---'))
  for (const name of contestants) line([name, ...columns.map(({ cells }) => cells.get(name) ?? '')])
}

function print([name = '', ...cells]: readonly string[]): void {
  console.log(`  ${name.padEnd(11)}${cells.map((cell) => cell.padStart(12)).join(' ')}`)
}

const rate = ({ requests, micros }: Load): number => (requests * 1e6) / micros

const cpuMicrosEach = ({ cpuMicros, requests }: Turn): number => cpuMicros / requests

const PACKAGES = [
  'fastify',
  'graphql',
  '@apollo/server',
  '@apollo/server-plugin-response-cache',
  'mercurius',
  'mercurius-cache',
  'graphql-yoga',
  '@graphql-yoga/plugin-response-cache',
  '@envelop/graphql-jit',
]

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}
