import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { V8_FLAGS } from '../../test/harness/v8-flags.ts'
import type { Question } from './answer-bench.ts'

export interface Program {
  /** For messages. */
  readonly name: string
  /** Node's arguments: the file to run, and more. */
  readonly args: readonly string[]
  /** Where it runs. By default where the bench does. */
  readonly directory?: string
  readonly environment: NodeJS.ProcessEnv
}

/** A contestant's server, in a process of its own on the first core. */
export class ContestantProcess {
  readonly url: string
  readonly #child: ChildProcess

  /** Resolves once the program has called `answerBench`. Throws if it ends before. */
  static async start({ name, args, directory, environment }: Program): Promise<ContestantProcess> {
    const child = spawn('taskset', ['-c', '0', process.execPath, ...V8_FLAGS, ...args], {
      cwd: directory,
      env: { ...process.env, NODE_ENV: 'production', ...environment },
      // What it prints goes to stderr: stdout has the tables.
      stdio: ['ignore', 2, 'inherit', 'ipc'],
    })
    const ready = once(child, 'message')
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code} before it was ready.`)
    })
    exited.catch(() => {})
    const [{ port }] = await Promise.race([ready, exited])
    return new ContestantProcess(child, port)
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  async cpuMicros(): Promise<number> {
    const { user, system } = await this.#ask<NodeJS.CpuUsage>({ cpu: true })
    return user + system
  }

  /** Bytes of heap and buffers, after garbage collection. */
  heldBytes(): Promise<number> {
    return this.#ask({ memory: true })
  }

  /** The titles that these articles really have, whatever its cache says. */
  titles(ids: readonly number[]): Promise<readonly string[]> {
    return this.#ask({ titles: ids })
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** One question at a time. */
  async #ask<Answer>(question: Question): Promise<Answer> {
    this.#child.send(question)
    const [answer] = await once(this.#child, 'message')
    return answer
  }
}
