import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isRunning, signalTree } from './process-tree.ts'
import type { SystemUser } from './system-user.ts'

/** All that a server of ours leaves on disk stands in one directory of the run's, with its process id in this file. */
export const pidFile = 'server.pid'

export function createServerDirectory(runDirectory: string, name: string, owner?: SystemUser): string {
  const directory = mkdtempSync(join(runDirectory, `${name}-`))
  if (owner) chownSync(directory, owner.uid, owner.gid)
  return directory
}

/** Ends the server that runs in the directory, if any, and removes the directory. Synchronous, for use at exit. */
export function discardServerDirectory(directory: string): void {
  const pid = Number(readIfExists(join(directory, pidFile)))
  if (pid > 0 && isRunning(pid) && runsIn(pid, directory)) signalTree(pid, 'SIGKILL')
  releaseSharedMemory(directory)
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

/** The id may have passed to a stranger since it was written down. */
function runsIn(pid: number, directory: string): boolean {
  if (!existsSync('/proc/self/cwd')) return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(directory)
  } catch {
    return false
  }
}

/** A PostgreSQL that was killed leaves a System V segment behind; the seventh line of its pid file names it. */
function releaseSharedMemory(directory: string): void {
  const line = readIfExists(join(directory, 'data', 'postmaster.pid')).split('\n')[6]
  const id = line?.trim().split(/\s+/)[1]
  if (id) spawnSync('ipcrm', ['-m', id])
}

function readIfExists(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
