import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { getTestRun } from '../harness/index.ts'
import { reservePort } from '../harness/reserve-port.ts'

/** The project as somebody gets it who clones it now: what git tracks or would, and nothing that was built or installed. */
export class FreshClone {
  readonly directory: string
  /** Where its server listens, so that several can run on one machine. */
  readonly port: number
  #server: ChildProcess | undefined

  private constructor(directory: string, port: number) {
    this.directory = directory
    this.port = port
  }

  static async make(): Promise<FreshClone> {
    const directory = mkdtempSync(join(tmpdir(), 'stet-clone-'))
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      encoding: 'utf8',
    })
    const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { encoding: 'utf8' }).split('\0')
    for (const file of files.split('\0').filter((file) => file !== '' && !deleted.includes(file))) {
      mkdirSync(join(directory, dirname(file)), { recursive: true })
      cpSync(file, join(directory, file))
    }
    return new FreshClone(directory, await reservePort(getTestRun().directory))
  }

  /** Spares `npm ci`: uses the packages that are installed here. */
  linkPackages(): void {
    symlinkSync(resolve('node_modules'), join(this.directory, 'node_modules'))
  }

  /** Spares the build of the server: uses what `npm test` has built. */
  copyBuilt(): void {
    cpSync('dist', join(this.directory, 'dist'), { recursive: true })
  }

  /** Runs one program, in a process group of its own. */
  spawn(
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): ChildProcessByStdio<null, Readable, null> {
    return spawn(program, args, {
      cwd: this.directory,
      env: { ...this.#environment(), ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
  }

  /** The README's blocks of shell commands, in order, as they stand. */
  readmeCommands(): string[] {
    const readme = readFileSync(join(this.directory, 'README.md'), 'utf8')
    return [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => (commands ?? '').trim())
  }

  /** Runs commands that end, and returns what they print. Throws where one fails. */
  run(commands: string): string {
    return execFileSync('bash', ['-euo', 'pipefail', '-c', this.#atMyPort(commands)], {
      cwd: this.directory,
      env: this.#environment(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  /** Runs commands that serve until they are stopped. Resolves with what they have printed by then. */
  async serve(commands: string): Promise<string> {
    const server = this.spawn('bash', ['-c', commands])
    let printed = ''
    for await (const chunk of server.stdout) {
      printed += chunk
      if (printed.includes('Ctrl-C')) break
    }
    if (!printed.includes('Ctrl-C')) throw new Error(`It did not start:\n${printed}`)
    this.#server = server
    return printed
  }

  /** What Ctrl-C does: the whole foreground group is interrupted. Resolves once all of it has ended. */
  async interrupt(): Promise<void> {
    const server = this.#server
    if (server?.pid === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    process.kill(-server.pid, 'SIGINT')
    await ended
    this.#server = undefined
  }

  async remove(): Promise<void> {
    await this.interrupt()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #environment(): NodeJS.ProcessEnv {
    const { NODE_OPTIONS: _, ...environment } = process.env
    // What is in npm's cache is not asked for again.
    return { ...environment, PORT: String(this.port), npm_config_prefer_offline: 'true' }
  }

  #atMyPort(commands: string): string {
    return commands.replaceAll('127.0.0.1:4000', `127.0.0.1:${this.port}`)
  }
}
