import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import { TinyDatabase } from '../../../test/models/tiny-database.ts'
import { TinyProcess } from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { Random } from '../../kernel/random.ts'
import type { Entry } from '../entry.ts'
import type { Source } from '../kind.ts'
import { softly } from '../ledger/cache-tag.ts'
import type { Policy } from '../policy.ts'
import type { Reader, StaleReason } from '../reader.ts'
import { decodeEntry } from '../remote/envelope.ts'
import type { Found } from '../remote/remote-tier.ts'
import { LoadTimeoutError } from './flight.ts'

const TTL_MS = 1000
const NEGATIVE_TTL_MS = 300
const HARD_MS = 700
const MEMORY_MAX_BYTES = 1200
const DOWN = new Error('source down')

const key = fc.constantFrom('a', 'a', 'a', 'b', 'c')
const process = fc.nat(1)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), key, soft: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const), key, process }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write through' as const), nth: fc.nat(3) }) },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      key,
      process,
      as: fc.constantFrom('anybody', 'anybody', 'fresh', 'knowing', 'bypass'),
      back: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refresh' as const), key, process }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sequence' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('follow' as const), process }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lag' as const), process, commits: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), process, fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail remote' as const), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), process }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 99, 201, 400, 999) }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('go on' as const), nth: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('all go on' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('all follow' as const) }) },
)
const policy = fc.record({
  grace: fc.constantFrom(
    {},
    { staleWhileRevalidateMs: 500 },
    { staleIfErrorMs: 1500 },
    { staleWhileRevalidateMs: 500, staleIfErrorMs: 1500 },
  ),
  leaseMs: fc.constantFrom(0, 200),
  tiers: fc.constantFrom('both' as const, 'both' as const, 'memory' as const, 'redis' as const),
  soft: fc.boolean(),
  patient: fc.boolean(),
  slowRemote: fc.boolean(),
})

it('keeps its promises, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      policy,
      fc.nat(),
      fc.array(step, { minLength: 10, maxLength: 100, size: 'max' }),
      async (chosen, seed, steps) => {
        const world = new World(chosen, seed)
        for (const taken of steps) {
          await world.take(taken)
          world.checkBounds()
        }
        await world.end()
      },
    ),
    { numRuns: Number(globalThis.process.env.TEST_RUNS ?? 100) },
  )
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
type Chosen = typeof policy extends fc.Arbitrary<infer P> ? P : never

/** Two processes with a database and a remote tier, all whose answers wait to be let go. Rows hold the number of their write. */
class World {
  readonly clock = new ManualClock()
  readonly database = new TinyDatabase<string>()
  readonly remote = new TinyRemote(this.clock)
  readonly processes: readonly TinyProcess[]
  readonly policy: Policy
  readonly patient: boolean
  /** A load begins as soon as it is asked for: nothing else is asked or waited for before. */
  readonly prompt: boolean
  /** In the order of their commits, which is that of their positions. */
  readonly writes: { readonly key: string; readonly number: number; readonly soft: boolean }[] = []
  readonly committed: { process: TinyProcess; key: string; value: string; began: TinyProcess['ledger']['place'] }[] = []
  /** What is on the wire. */
  readonly #waiting: (() => void)[] = []
  /** When loads brought which value of which key. */
  readonly #brought = new Set<string>()
  readonly #failures: unknown[] = []
  #reading = 0

  constructor({ grace, leaseMs, tiers, soft, patient, slowRemote }: Chosen, seed: number) {
    const hasGrace = Object.keys(grace).length > 0
    const hardMs = patient ? Number.MAX_SAFE_INTEGER : HARD_MS
    this.patient = patient
    this.prompt = tiers === 'memory' || (leaseMs === 0 && !slowRemote)
    this.policy = {
      ttlMs: TTL_MS,
      negativeTtlMs: NEGATIVE_TTL_MS,
      jitter: 0,
      grace,
      tiers,
      ...(tiers === 'memory' ? {} : { leaseMs }),
      loadTimeout: { hardMs, ...(soft && hasGrace ? { softMs: 100 } : {}) },
      writeThrough: true,
    }
    const random = new Random(seed)
    const options = {
      database: this.database,
      remote: this.remote,
      clock: this.clock,
      random: () => random.next(),
      memoryMaxBytes: MEMORY_MAX_BYTES,
      kind: { ...this.policy, parseKey: (text: string) => text },
    }
    this.processes = [0, 1].map(() => new TinyProcess(options))
    for (const process of this.processes) this.#slow(process)
    const { read } = this.remote
    this.remote.read = async (wanted): Promise<readonly Found[]> => {
      if (slowRemote) await this.#pass()
      const found = await read.call(this.remote, wanted)
      if (slowRemote) await this.#pass()
      return found
    }
  }

  async take(step: Step): Promise<void> {
    const process = 'process' in step ? this.#process(step.process) : this.#process(0)
    if (step.do === 'write') this.#write(step.key, step.soft)
    if (step.do === 'commit') {
      const began = process.ledger.place
      this.committed.push({ process, key: step.key, value: this.#write(step.key, false), began })
    }
    if (step.do === 'write through') {
      const [write] = this.committed.splice(step.nth, 1)
      await write?.process.settle()
      write?.process.rows.writeThrough(write.key, write.value, write.began)
      if (write) this.#brought.add(`${write.key} ${write.value} ${this.clock.now()}`)
    }
    if (step.do === 'read') void this.#read(process, step.key, this.#reader(process, step))
    if (step.do === 'refresh') void process.rows.refreshAhead(process.rows.keyOf(step.key), 200)
    if (step.do === 'sequence') this.database.sequence()
    if (step.do === 'follow') process.follow()
    if (step.do === 'lag') process.replicaLag = step.commits
    if (step.do === 'fail') process.failure = step.fails ? DOWN : undefined
    if (step.do === 'fail remote') this.remote.failure = step.fails ? DOWN : undefined
    if (step.do === 'forget') process.cache.clearMemory()
    if (step.do === 'advance') this.clock.advance(step.ms)
    if (step.do === 'go on') this.#waiting.splice(step.nth % Math.max(1, this.#waiting.length), 1)[0]?.()
    if (step.do === 'all go on') await this.#allGoOn()
    if (step.do === 'all follow') {
      this.database.sequence()
      for (const each of this.processes) each.follow()
    }
    await turn()
  }

  checkBounds(): void {
    for (const failure of this.#failures) throw failure
    for (const { cache } of this.processes) expect(cache.memoryBytes).toBeLessThanOrEqual(MEMORY_MAX_BYTES)
  }

  /** Everything is let go, and time passes until nobody waits. */
  async end(): Promise<void> {
    this.remote.failure = undefined
    for (const process of this.processes) process.failure = undefined
    for (let round = 0; round < 200 && !this.#isQuiet; round++) {
      await this.#allGoOn()
      if (this.#waiting.length === 0) this.clock.advance(10)
      await turn()
    }
    this.checkBounds()
    expect([this.#reading, this.#waiting.length, this.remote.waitedFor, this.clock.waiting]).toEqual([0, 0, 0, 0])
    this.database.sequence()
    for (const { rows, ledger, cache } of this.processes) {
      this.database.tell(ledger)
      expect(rows.loading).toBe(0)
      for (const entry of cache.entries()) this.#checkEntry(entry as Entry<string>, ledger)
      for (const [key, { bytes }] of this.remote.stored) {
        const entry = decodeEntry<string>(key, bytes)
        if (entry && ledger.stands(entry)) this.#checkEntry(entry, ledger)
      }
    }
  }

  /** What answers, until nothing is on the wire. */
  async #allGoOn(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (const goOn of this.#waiting.splice(0)) goOn()
      await turn()
    }
  }

  get #isQuiet(): boolean {
    return this.#reading + this.#waiting.length + this.remote.waitedFor + this.clock.waiting === 0
  }

  #checkEntry(entry: Entry<string>, ledger: TinyProcess['ledger']): void {
    if (ledger.softenedAt(entry) > 0) return
    const key = entry.key.slice(entry.key.lastIndexOf(':') + 1)
    expect([key, entry.value]).toEqual([key, this.database.snapshot([key]).values[0]])
  }

  #process(index: number): TinyProcess {
    return this.processes[index] as TinyProcess
  }

  #write(key: string, soft: boolean): string {
    const number = this.writes.length + 1
    this.writes.push({ key, number, soft })
    this.database.write(key, `${number}`, [soft ? softly(`rows:${key}`) : `rows:${key}`])
    return `${number}`
  }

  #reader(process: TinyProcess, { as, back }: { readonly as: string; readonly back: number }): Reader {
    if (as === 'knowing') return { position: Math.max(0, process.ledger.seen - back) }
    return { fresh: as === 'fresh', bypass: as === 'bypass' }
  }

  async #read(process: TinyProcess, key: string, reader: Reader): Promise<void> {
    this.#reading++
    const { seen } = process.ledger
    const owed = this.writes.slice(0, seen).filter(({ soft }, index) => {
      return !soft || reader.fresh || reader.bypass || index < (reader.position ?? 0)
    })
    const least = Math.max(0, ...owed.map((write) => (write.key === key ? write.number : 0)))
    let entry: Entry | undefined
    let stale: StaleReason | undefined
    const onRead: Reader['onRead'] = (_kind, read, _origin, why) => {
      entry = read
      stale = why
    }
    try {
      const value = Number((await process.rows.get(key, { ...reader, onRead })) ?? 0)
      expect(value).toBeGreaterThanOrEqual(least)
      if (reader.fresh || reader.bypass) expect(stale).toBeUndefined()
      if (entry) this.#checkAge(key, value, entry, stale)
    } catch (error) {
      const excused = error === DOWN || (error instanceof LoadTimeoutError && !this.patient)
      if (!excused) this.#failures.push(error)
    } finally {
      this.#reading--
    }
  }

  #checkAge(key: string, value: number, entry: Entry, stale: StaleReason | undefined): void {
    const { staleWhileRevalidateMs = 0, staleIfErrorMs = 0 } = this.policy.grace ?? {}
    const lifeMs = value === 0 ? NEGATIVE_TTL_MS : TTL_MS
    const graceMs =
      stale === undefined
        ? 0
        : Math.max(staleWhileRevalidateMs, stale === 'error' || stale === 'slow' ? staleIfErrorMs : 0)
    expect(this.clock.now() - entry.storedAtMs).toBeLessThan(lifeMs + graceMs)
    expect(this.#brought).toContain(`${key} ${value} ${entry.storedAtMs}`)
  }

  /** Its loads take their time on the way there and back. No key is on its way twice, unless a write overtook the first. */
  #slow(process: TinyProcess): void {
    const loading = new Set<{ readonly key: string; readonly position: number }>()
    const { load } = TinyProcess.prototype
    process.load = async (keys: readonly string[], source: Source) => {
      const position = process.ledger.seen
      const these = keys.map((key) => ({ key, position }))
      if (source === 'any') {
        for (const one of loading) {
          if (this.patient && this.prompt && keys.includes(one.key)) this.#expectOvertaken(one, position)
        }
        for (const one of these) loading.add(one)
      }
      try {
        await this.#pass()
        const snapshot = await load.call(process, keys, source)
        await this.#pass()
        for (const [index, key] of keys.entries()) {
          this.#brought.add(`${key} ${snapshot.values[index] ?? 0} ${this.clock.now()}`)
        }
        return snapshot
      } finally {
        for (const one of these) loading.delete(one)
      }
    }
  }

  #expectOvertaken({ key, position }: { readonly key: string; readonly position: number }, by: number): void {
    const since = this.writes.slice(position, by).filter((write) => write.key === key)
    if (since.length === 0)
      this.#failures.push(new Error(`${key} is loaded twice at a time, as of ${position} and ${by}.`))
  }

  #pass(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }
}

/** Of the event loop: loads that are asked for in one begin at its end. */
async function turn(): Promise<void> {
  for (let n = 0; n < 2; n++) await new Promise((resolve) => setImmediate(resolve))
}
