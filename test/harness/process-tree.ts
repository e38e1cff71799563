import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hasCode } from './has-code.ts'

/** The process and all that descend from it, itself first; empty when it has ended. */
export function processTree(root: number): readonly number[] {
  const running = listProcesses()
  if (!running.some(({ pid }) => pid === root)) return []
  const tree = [root]
  for (const parent of tree) {
    for (const child of running) if (child.parent === parent) tree.push(child.pid)
  }
  return tree
}

/** Signals a process and all its descendants, and returns them. Those that have ended meanwhile are passed over. */
export function signalTree(root: number, signal: NodeJS.Signals): readonly number[] {
  // A stopped parent cannot fork, so the list stays complete while we go through it.
  if (signal !== 'SIGCONT') signalOne(root, 'SIGSTOP')
  const tree = processTree(root)
  for (const pid of tree) signalOne(pid, signal)
  return tree
}

/** False also for a process that has ended but whose parent has not collected it yet. */
export function isRunning(pid: number): boolean {
  return listProcesses().some((process) => process.pid === pid)
}

interface Listed {
  readonly pid: number
  readonly parent: number
}

function listProcesses(): readonly Listed[] {
  const lines = existsSync('/proc/self/stat') ? linesFromProc() : linesFromPs()
  return lines.flatMap((line) => {
    const [pid, parent, state = ''] = line.trim().split(/\s+/)
    return state.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent) }]
  })
}

/** Slim images have no `ps`. A line of /proc/<pid>/stat reads `pid (any name) state parent …`. */
function linesFromProc(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return [`${pid} ${parent} ${state}`]
      } catch {
        return [] // ended between being listed and being read
      }
    })
}

function linesFromPs(): readonly string[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
  return stdout.trim().split('\n')
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}
