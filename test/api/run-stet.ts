import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from '../harness/index.ts'
import { V8_FLAGS } from '../harness/v8-flags.ts'

export interface Ran {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

/** The command as it is built and as the system starts it, with nothing in its environment but what the test gives it. */
export class RunningStet {
  readonly #process: ChildProcess
  readonly ended: Promise<Ran>
  stdout = ''
  stderr = ''

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const { PATH, HOME } = process.env
    this.#process = spawn(process.execPath, [...V8_FLAGS, stet, ...args], {
      env: { PATH, HOME, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(this.#process, 'close').then(([code, signal]) => ({
      code: code ?? signal,
      stdout: this.stdout,
      stderr: this.stderr,
    }))
  }

  /** What `serve --json` says once it serves. */
  async serving(): Promise<{ readonly url: string }> {
    return eventually(() => JSON.parse(this.stdout.split('\n', 1)[0] ?? ''), { withinMs: 45_000 })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** For signals that it survives. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async end(signal: NodeJS.Signals): Promise<Ran> {
    this.signal(signal)
    return this.ended
  }
}

export const runStet = (args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ran> =>
  new RunningStet(args, environment).ended

const stet = fileURLToPath(new URL('../../dist/stet.js', import.meta.url))
