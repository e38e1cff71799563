import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

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

async function ask(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const found = getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
  return Promise.race([found, sleep(3000, false, { ref: false })])
}
