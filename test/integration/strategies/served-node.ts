import { type Ran, RunningStet } from '../../api/run-stet.ts'
import { GraphQLClient, readMetric, testToken } from '../../harness/index.ts'

/** A node as `stet serve` starts it: a process that can be killed. */
export class ServedNode {
  readonly name: string
  readonly url: string
  readonly visitor: GraphQLClient
  readonly admin: GraphQLClient
  readonly #process: RunningStet

  private constructor(parts: { name: string; url: string; adminToken: string; process: RunningStet }) {
    this.name = parts.name
    this.url = parts.url
    this.visitor = new GraphQLClient(parts.url)
    this.admin = new GraphQLClient(parts.url, parts.adminToken)
    this.#process = parts.process
  }

  static async start(name: string, environment: NodeJS.ProcessEnv): Promise<ServedNode> {
    const process = new RunningStet(['serve', '--json'], environment)
    try {
      const { url } = await process.serving()
      return new ServedNode({ name, url, adminToken: await testToken('admin'), process })
    } catch (error) {
      const { stderr } = await process.end('SIGKILL')
      throw new Error(`${name} did not start:\n${stderr}`, { cause: error })
    }
  }

  /** What it says of itself: the sum over all series of a metric that have these labels. */
  metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return readMetric(this.url, name, labels)
  }

  /** Sends a signal that it may live on with. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal)
  }

  /** Sends a signal and resolves once it has ended, with its exit code and all it said. */
  end(signal: NodeJS.Signals): Promise<Ran> {
    return this.#process.end(signal)
  }
}
