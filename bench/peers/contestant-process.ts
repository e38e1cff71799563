import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Question } from './answer-bench.ts'

/** A contestant's server, in a process of its own on the first core. */
export class ContestantProcess {
  readonly url: string
  readonly #child: ChildProcess

  static async start(file: string, environment: NodeJS.ProcessEnv): Promise<ContestantProcess> {
    const typescript = new URL('../../scripts/run-typescript.mjs', import.meta.url).href
    const path = fileURLToPath(new URL(`contestants/${file}.ts`, import.meta.url))
    const child = spawn(
      'taskset',
      ['-c', '0', process.execPath, '--max-semi-space-size=64', '--import', typescript, path],
      {
        env: { ...process.env, NODE_ENV: 'production', ...environment },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    )
    const ready = once(child, 'message')
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with ${code} before it was ready.`)
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

  /** Heap and buffers, after garbage collection. */
  heldBytes(): Promise<number> {
    return this.#ask({ memory: true })
  }

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
