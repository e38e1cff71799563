import { RunningStet } from '../api/run-stet.ts'
import { getTestRun, readMetric, readMetrics, reservePort } from '../harness/index.ts'

/** A node as `stet serve` starts it, that may be broken at will. It keeps its address. */
export class ChaosNode {
  readonly name: string
  readonly url: string
  readonly #environment: NodeJS.ProcessEnv
  #process: RunningStet | undefined
  #earlierLog = ''

  private constructor(name: string, port: number, environment: NodeJS.ProcessEnv) {
    this.name = name
    this.url = `http://127.0.0.1:${port}`
    this.#environment = { ...environment, PORT: String(port) }
  }

  static async start(name: string, environment: NodeJS.ProcessEnv): Promise<ChaosNode> {
    const node = new ChaosNode(name, await reservePort(getTestRun().directory), environment)
    await node.start()
    return node
  }

  /** Resolves once it serves. @param more goes into its environment, this time */
  async start(more: NodeJS.ProcessEnv = {}): Promise<void> {
    const process = new RunningStet(['serve', '--json'], { ...this.#environment, ...more })
    this.#earlierLog = this.log
    this.#process = process
    try {
      await process.serving()
    } catch (error) {
      const { stderr } = await process.end('SIGKILL')
      throw new Error(`${this.name} did not start:\n${stderr}`, { cause: error })
    }
  }

  /** Resolves once it is dead. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#process?.end(signal)
  }

  /** Stops it in its tracks, with every connection open. */
  pause(): void {
    this.#process?.signal('SIGSTOP')
  }

  resume(): void {
    this.#process?.signal('SIGCONT')
  }

  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number> {
    return readMetric(this.url, name, labels)
  }

  async metrics(): Promise<string> {
    return readMetrics(this.url)
  }

  /** All that it logged, also before it was killed. */
  get log(): string {
    return this.#earlierLog + (this.#process?.stderr ?? '')
  }
}
