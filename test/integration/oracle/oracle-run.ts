import { expect } from '@jest/globals'
import type pg from 'pg'
import { type Answer, readMetrics, type TestNode } from '../../harness/index.ts'
import type { Dice } from './dice.ts'
import { Fleet, type Viewer } from './fleet.ts'
import { KnownContent } from './known-content.ts'
import { mutations } from './mutations.ts'
import { type Ask, ask, queries } from './queries.ts'
import { chooseStatement, HeldTransaction, isExclusive, type Statement } from './sql-steps.ts'

/** Random steps, one after the other, each on a random node with the newest token: so that every answer is determined. */
export class OracleRun {
  /** What the last steps did, oldest first. */
  readonly recent: string[] = []
  readonly #dice: Dice
  readonly #fleet: Fleet
  readonly #sql: pg.Client
  readonly #known: KnownContent
  readonly #held: HeldTransaction
  readonly #earlierAsks: AskedBy[] = []
  #steps = 0
  #mutations: readonly string[] = []
  #statements: readonly Statement[] = []
  #token = ''
  /** SQL wrote something that no token covers yet. */
  #isUntold = false
  #answers = 0
  /** How often each mutation succeeded. */
  readonly #made: Record<string, number> = {}
  #rightEntries = 0

  private constructor(dice: Dice, fleet: Fleet, clients: readonly [pg.Client, pg.Client]) {
    this.#dice = dice
    this.#fleet = fleet
    this.#sql = clients[0]
    this.#held = new HeldTransaction(clients[1], dice)
    this.#known = new KnownContent(clients[0], dice)
  }

  static async begin(dice: Dice): Promise<OracleRun> {
    const fleet = await Fleet.start()
    const run = new OracleRun(dice, fleet, [await fleet.connect(), await fleet.connect()])
    await run.#told()
    return run
  }

  async step(): Promise<void> {
    if (this.#steps++ % STEPS_OF_A_STRETCH === 0) this.#chooseWrites()
    const roll = this.#dice.below(100)
    if (roll < 65) return this.#query()
    if (roll < 83) return this.#mutate()
    if (roll < 95) return this.#write()
    return this.#hold()
  }

  /**
   * Of all kinds of writes just a few happen for a while: else some write that every list depends on would hide that a
   * rarer one was missed. (Groce et al., "Swarm Testing", ISSTA 2012.)
   */
  #chooseWrites(): void {
    this.#mutations = [0, 1, 2].map(() => this.#dice.pick(Object.keys(mutations)))
    this.#statements = [0, 1].map(() => chooseStatement(this.#dice))
  }

  /** Keys of entries that stand, in whatever tier, and aren't what the database holds. */
  async wrongEntries(): Promise<string[]> {
    await this.#told()
    const wrong: string[] = []
    const [first] = this.#fleet.nodes
    const tiers = this.#fleet.nodes.map((node) => ({ node, entries: [...node.cache.entries()] }))
    if (first) tiers.push({ node: first, entries: await this.#fleet.entriesInRedis() })
    for (const { node, entries } of tiers) {
      const standing = entries.filter((entry) => node.ledger.stands(entry))
      for (let from = 0; from < standing.length; from += BATCH) {
        const batch = standing.slice(from, from + BATCH)
        const verdicts = await node.cache.verify(batch)
        wrong.push(...batch.filter((_, index) => verdicts[index] === 'wrong').map(({ key }) => key))
        this.#rightEntries += verdicts.filter((verdict) => verdict === 'right').length
      }
    }
    expect([...this.#fleet.oracle.cache.entries()]).toEqual([])
    return wrong
  }

  async figures() {
    const counts = await Promise.all(this.#fleet.nodes.map(countRequests))
    const sum = (name: string) => counts.reduce((total, count) => total + (count[name] ?? 0), 0)
    const requests = sum('memory hit') + sum('memory miss')
    const redisHits = sum('redis hit')
    return {
      answers: this.#answers,
      made: this.#made,
      rightEntries: this.#rightEntries,
      hitRatio: (sum('memory hit') + redisHits) / requests,
      redisHits,
      wholeHits: sum('whole hit'),
    }
  }

  async rootFields() {
    const { data } = await this.#fleet.oracle.visitor.send<{
      __schema: { [type in 'queryType' | 'mutationType']: { fields: { name: string }[] } }
    }>('{ __schema { queryType { fields { name } } mutationType { fields { name } } } }')
    const names = (fields: { name: string }[]) => fields.map(({ name }) => name).sort()
    return { queries: names(data.__schema.queryType.fields), mutations: names(data.__schema.mutationType.fields) }
  }

  async end(): Promise<void> {
    await this.#held.end()
    await this.#fleet.end()
  }

  async #query(): Promise<void> {
    const { asked, viewer } = this.#chooseAsk()
    // Now and then by others as well, at once: each is given their own.
    const viewers = this.#dice.chance(20) ? [...new Set([viewer, 'visitor' as const, 'admin' as const])] : [viewer]
    const node = this.#dice.pick(this.#fleet.nodes)
    this.#note(`${viewers} ask node ${this.#fleet.nodes.indexOf(node)}`, asked)
    // A write that nobody was told of shows at the oracle: whoever has its token must then be shown it everywhere.
    const oracleFirst = this.#isUntold || this.#dice.chance(30)
    const askOracle = () => Promise.all(viewers.map((viewer) => this.#ask(this.#fleet.oracle, viewer, asked)))
    const foretold = oracleFirst ? await askOracle() : undefined
    const askAll = () =>
      Promise.all(viewers.map((viewer) => Promise.all(METHODS.map((method) => this.#ask(node, viewer, asked, method)))))
    // The second time what was kept the first time is there.
    const rounds = [await askAll(), ...(this.#dice.chance(50) ? [await askAll()] : [])]
    const expected = foretold ?? (await askOracle())
    for (const [round, answers] of rounds.entries()) {
      for (const [index, viewer] of viewers.entries()) {
        const right = contentOf(expected[index])
        for (const [at, method] of METHODS.entries()) {
          const answer = contentOf(answers[index]?.[at])
          expect({ round, viewer, method, ...answer }).toEqual({ round, viewer, method, ...right })
        }
      }
    }
    this.#known.learnCursors(expected[0]?.data)
    this.#answers++
  }

  /** What was asked before is often asked again: elsewhere, after writes, now and then by somebody else. */
  #chooseAsk(): AskedBy {
    const earlier = this.#dice.chance(65) ? this.#dice.pickAny(this.#earlierAsks) : undefined
    if (earlier) return this.#dice.chance(75) ? earlier : { ...earlier, viewer: this.#chooseViewer() }
    const asked = this.#dice.pick(Object.values(queries))(this.#known, this.#dice)
    const chosen = { asked, viewer: this.#chooseViewer() }
    this.#earlierAsks[this.#earlierAsks.length < 60 ? this.#earlierAsks.length : this.#dice.below(60)] = chosen
    return chosen
  }

  async #mutate(): Promise<void> {
    const name = this.#dice.pick(this.#mutations)
    const asked = mutations[name]?.(this.#known, this.#dice)
    if (!asked) return
    const viewer = this.#dice.chance(50) ? 'admin' : this.#chooseViewer()
    const node = this.#dice.pick(this.#fleet.nodes)
    this.#note(`${viewer} tells node ${this.#fleet.nodes.indexOf(node)}`, asked)
    const answer = await this.#ask(node, viewer, asked)
    const [payload] = Object.values((answer.data ?? {}) as Record<string, Payload | true | null>)
    if (payload) this.#made[name] = (this.#made[name] ?? 0) + 1
    if (payload === true) {
      await node.drain()
      this.#isUntold = true // what was written behind the answer
    } else if (!payload) expect(answer.errors).toHaveLength(1)
    else {
      this.#isUntold = false // whatever was committed before has its position too
      await this.#expectWritten(viewer, payload)
    }
    await this.#known.refresh()
  }

  /** The payload of a mutation is what the oracle shows right after it. */
  async #expectWritten(viewer: Viewer, payload: Payload): Promise<void> {
    if ('position' in payload) return expect(payload.position).toBe(this.#token)
    const [written] = Object.values(payload)
    const id = typeof written === 'string' ? written : written?.id
    const shown = await this.#ask(
      this.#fleet.oracle,
      viewer,
      ask('query ($id: ID!) { node(id: $id) { ...A ...U ...T } }', { id }),
    )
    expect(typeof written === 'string' ? null : written).toEqual(shown.data.node)
  }

  async #write(): Promise<void> {
    const statement = this.#dice.pick(this.#statements)(this.#dice)
    if (isExclusive(statement)) await this.#held.end()
    this.#note(statement)
    await this.#sql.query(statement).catch((error: { readonly code?: string }) => {
      if (!error.code?.startsWith('23')) throw error // a constraint may well object
    })
    this.#isUntold = true
    if (this.#dice.chance(50)) await this.#told()
    await this.#known.refresh()
  }

  async #hold(): Promise<void> {
    this.#note('the held transaction goes on')
    if (!(await this.#held.step())) return
    this.#note('and commits')
    this.#isUntold = true
    if (this.#dice.chance(50)) await this.#told()
    await this.#known.refresh()
  }

  /** Has every write its position, and takes the token that covers them all. */
  async #told(): Promise<void> {
    const { rows } = await this.#sql.query('select tip, epoch from stet.sequence()')
    this.#token = `${rows[0].tip}.${rows[0].epoch}`
    this.#isUntold = false
    if (this.#known.users.length === 0) await this.#known.refresh()
  }

  async #ask(
    node: TestNode,
    viewer: Viewer,
    { query, variables }: Ask,
    method: (typeof METHODS)[number] = 'POST',
  ): Promise<Answer<Record<string, unknown>>> {
    const client = await this.#fleet.client(node, viewer)
    const answer = await client.send(query, variables, this.#token ? { 'stet-as-of': this.#token } : {}, method)
    const ours = answer.errors.filter(({ extensions }) => extensions.code === 'INTERNAL_SERVER_ERROR')
    if (ours.length > 0 || answer.status >= 500) throw new Error(`The server failed: ${JSON.stringify(answer)}`)
    if (answer.token && positionOf(answer.token) > positionOf(this.#token)) this.#token = answer.token
    return answer
  }

  #chooseViewer(): Viewer {
    if (this.#dice.chance(30)) return 'visitor'
    return this.#dice.chance(30) ? 'admin' : (this.#dice.pickAny(this.#known.users)?.id ?? 'visitor')
  }

  #note(what: string, asked?: Ask): void {
    this.recent.push(asked ? `${what}: ${asked.query.split('fragment')[0]} ${JSON.stringify(asked.variables)}` : what)
    if (this.recent.length > 12) this.recent.shift()
  }
}

interface AskedBy {
  readonly asked: Ask
  readonly viewer: Viewer
}

type Payload = Record<string, string | { readonly id: string }>

const STEPS_OF_A_STRETCH = 25

/** As many as the engine is asked for in one statement. */
const BATCH = 100

const positionOf = (token: string): number => Number.parseInt(token, 10) || 0

const contentOf = (answer: Answer<unknown> | undefined) => ({
  status: answer?.status,
  data: answer?.data,
  errors: answer?.errors,
})

const METHODS = ['POST', 'GET'] as const

/** From the node's own metrics: how often each tier was asked, and for whole answers, with what result. */
async function countRequests(node: TestNode): Promise<Record<string, number>> {
  const text = await readMetrics(node.url)
  const counts: Record<string, number> = {}
  for (const [, tier, result, count] of text.matchAll(
    /^stet_cache_requests_total\{.*tier="(\w+)",result="(\w+)"\} (\d+)/gm,
  )) {
    counts[`${tier} ${result}`] = (counts[`${tier} ${result}`] ?? 0) + Number(count)
  }
  for (const [, result, count] of text.matchAll(/^stet_response_cache_total\{result="(\w+)"\} (\d+)/gm)) {
    counts[`whole ${result}`] = Number(count)
  }
  return counts
}
