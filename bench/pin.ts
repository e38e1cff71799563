import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Keeps a process, all of its threads, and all that it will start on one core: the first is 0. Throws if there are too few, or no `taskset`. */
export function pin(core: number, pid = process.pid): void {
  if (core >= cores) throw new Error(`This benchmark needs ${core + 1} cores.`)
  setCores(pid, `${core}`)
}

/** Takes back what `pin` did to this process. */
export function unpin(): void {
  setCores(process.pid, `0-${cores - 1}`)
}

// Asked for at the start: of a process that is pinned Node says that it has one core.
const cores = availableParallelism()

function setCores(pid: number, list: string): void {
  const { status, stderr, error } = spawnSync('taskset', ['-a', '-p', '-c', list, `${pid}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`taskset failed: ${error?.message ?? stderr}`)
}
