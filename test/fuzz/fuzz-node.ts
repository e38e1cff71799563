import { RunningStet } from '../api/run-stet.ts'
import {
  createRedisPrefix,
  createTestDatabase,
  eventually,
  queryOnce,
  sharedServers,
  TEST_JWT_SECRET,
} from '../harness/index.ts'

/** A node as `stet serve` starts it, in a process of its own, on a database of its own. */
export class FuzzNode {
  readonly url: string
  readonly databaseUrl: string
  readonly #process: RunningStet
  readonly #drop: () => Promise<void>

  /** @param heapMb the limit of its old generation, by default as in a container of 512 MB */
  static async start(environment: NodeJS.ProcessEnv = {}, heapMb = 320): Promise<FuzzNode> {
    const database = await createTestDatabase()
    const process = new RunningStet(['serve', '--json'], {
      PORT: '0',
      LOG_LEVEL: 'warn',
      AUTH_JWT_SECRET: TEST_JWT_SECRET,
      DATABASE_URL: database.url,
      REDIS_URL: sharedServers().redisUrl,
      REDIS_KEY_PREFIX: createRedisPrefix(),
      NODE_OPTIONS: `--max-old-space-size=${heapMb} --import=${new URL('./report-heap.mjs', import.meta.url)}`,
      ...environment,
    })
    try {
      const { url } = await process.serving()
      return new FuzzNode(url, database.url, process, () => database.drop())
    } catch (error) {
      const { stderr } = await process.end('SIGKILL')
      await database.drop()
      throw new Error(`The node did not start:\n${stderr}`, { cause: error })
    }
  }

  private constructor(url: string, databaseUrl: string, process: RunningStet, drop: () => Promise<void>) {
    this.url = url
    this.databaseUrl = databaseUrl
    this.#process = process
    this.#drop = drop
    void process.ended.then(({ code }) => {
      this.#endedWith = code
    })
  }

  #endedWith: number | NodeJS.Signals | undefined

  /** What it did that no request may bring about: it ended, or logged an error. Each line is told once. */
  takeFaults(): readonly string[] {
    const lines = this.#process.stderr.split('\n')
    const whole = lines.slice(this.#linesSeen, -1)
    this.#linesSeen += whole.length
    const faults = whole.filter((line) => !/^\{"(heldBytes"|level":(10|20|30|40),)/.test(line) && line.trim() !== '')
    return this.#endedWith === undefined ? faults : [...faults, `The node ended: ${this.#endedWith}`]
  }

  #linesSeen = 0

  /** Bytes of heap and buffers that are left after garbage collection. */
  async heldBytes(): Promise<number> {
    const before = this.#process.stderr.length
    this.#process.signal('SIGUSR2')
    return eventually(() => {
      const told = /^\{"heldBytes":(\d+)\}$/m.exec(this.#process.stderr.slice(before))
      if (!told) throw new Error('It has not answered yet.')
      return Number(told[1])
    })
  }

  sql(text: string): Promise<unknown> {
    return queryOnce(this.databaseUrl, text)
  }

  async end(): Promise<void> {
    await this.#process.end('SIGKILL')
    await this.#drop()
  }
}
