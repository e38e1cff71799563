import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Whether testcontainers can reach a Docker daemon that really answers; decided within a few seconds, once. */
export function dockerAnswers(): Promise<boolean> {
  answer ??= mayBeThere() ? ask() : Promise.resolve(false)
  return answer
}

let answer: Promise<boolean> | undefined

/** Spares a run without Docker the second it takes to load testcontainers. */
function mayBeThere(): boolean {
  const home = homedir()
  const traces = [
    '/var/run/docker.sock',
    join(process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`, 'docker.sock'),
    join(home, '.docker', 'run', 'docker.sock'),
    join(home, '.docker', 'desktop', 'docker.sock'),
    join(home, '.testcontainers.properties'),
  ]
  return process.env.DOCKER_HOST !== undefined || traces.some((file) => existsSync(file))
}

/** Asked in a process that can be ended: a daemon that accepts but never answers would hold ours for good. */
async function ask(): Promise<boolean> {
  try {
    await promisify(execFile)(process.execPath, ['-e', question], { timeout: 4000, killSignal: 'SIGKILL' })
    return true
  } catch {
    return false
  }
}

const question = `require('testcontainers').getContainerRuntimeClient().then(() => process.exit(0), () => process.exit(1))`
