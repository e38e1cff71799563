import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ARTICLE_IDS, type GraphQLRequest, update, type Workload } from './workloads.ts'

export interface Load {
  readonly requests: number
  readonly micros: number
  readonly failed: number
  readonly p50Micros: number
  readonly p99Micros: number
}

/** Sends a workload with wrk from the second core. */
export async function runWrk(
  workload: Workload,
  options: { readonly url: string; readonly directory: string; readonly seconds: number; readonly seed: number },
): Promise<Load> {
  const { url, directory, seconds, seed } = options
  const script = fileURLToPath(new URL('load.lua', import.meta.url))
  const load = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url]
  const draw = [directory, workload.draw, String(seed), String(workload.mutationsPerThousand ?? 0)]
  const { stdout } = await promisify(execFile)('taskset', ['-c', '1', 'wrk', ...load, '--', ...draw])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

export const CONNECTIONS = 32

/** Writes what `load.lua` reads, into a directory of the workload's own. */
export function writeLoad(workload: Workload, directory: string, token: string): void {
  mkdirSync(directory, { recursive: true })
  const write = (name: string, lines: readonly string[]) => writeFileSync(join(directory, name), lines.join('\n'))
  write(
    'requests',
    workload.requests.map((request) => formatRequest(workload.method, request)),
  )
  write('articles', ARTICLE_IDS)
  write('mutation', [JSON.stringify(update), token])
}

function formatRequest(method: 'GET' | 'POST', request: GraphQLRequest): string {
  if (method === 'GET') return `/graphql?query=${encodeURIComponent(request.query)}`
  return JSON.stringify(request).replace('"<ids>"', '[<ids>]')
}

/** Throws, and says what to install, if a program is missing. */
export function requireWrk(): void {
  for (const [program, name] of [
    ['wrk', 'wrk'],
    ['taskset', 'util-linux'],
  ] as const) {
    if (spawnSync(program, ['-V']).error) throw new Error(`peers needs ${program}: apt-get install ${name}`)
  }
}
