import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { isRunning, signalTree } from './process-tree.ts'
import { pidFile } from './server-directory.ts'
import type { SystemUser } from './system-user.ts'

export interface ServerProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Where it runs, logs and leaves its process id. */
  readonly directory: string
  readonly user?: SystemUser
  /** Resolves when the server answers, rejects while it does not. */
  readonly ready: () => Promise<unknown>
}

/** A server program that can be killed, paused and started again. */
export class ServerProcess {
  readonly #options: ServerProcessOptions
  #state: { readonly is: 'down' } | { readonly is: 'up'; readonly child: ChildProcess; readonly pid: number } = {
    is: 'down',
  }

  constructor(options: ServerProcessOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { command, args, directory, user, ready } = this.#options
    const log = openSync(join(directory, 'server.log'), 'a')
    // Detached, so that Ctrl-C reaches the run, which then sees to its servers, and not the servers themselves.
    const child = spawn(command, args, { cwd: directory, detached: true, stdio: ['ignore', log, log], ...user })
    closeSync(log)
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    const pid = child.pid ?? 0
    writeFileSync(join(directory, pidFile), String(pid))
    child.unref()
    this.#state = { is: 'up', child, pid }
    const outcome = await eventually(async () => (hasExited(child) ? 'exited' : ready().then(() => 'ready')))
    if (outcome === 'exited') throw new Error(`${command} did not start:\n${this.#endOfLog()}`)
  }

  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  async kill(): Promise<void> {
    const killed = this.#signal('SIGKILL')
    await this.#down()
    await eventually(() => !killed.some(isRunning))
  }

  /** Asks the server itself to end, with the signal it understands as that. */
  async terminate(signal: NodeJS.Signals): Promise<void> {
    if (this.#state.is === 'down') return
    this.#signal('SIGCONT')
    process.kill(this.#state.pid, signal)
    await this.#down()
  }

  async #down(): Promise<void> {
    if (this.#state.is === 'down') return
    const { child } = this.#state
    await eventually(() => hasExited(child))
    this.#state = { is: 'down' }
  }

  #signal(signal: NodeJS.Signals): readonly number[] {
    if (this.#state.is === 'down' || hasExited(this.#state.child)) return []
    return signalTree(this.#state.pid, signal)
  }

  #endOfLog(): string {
    return readFileSync(join(this.#options.directory, 'server.log'), 'utf8').split('\n').slice(-15).join('\n')
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
