import { setTimeout as sleep } from 'node:timers/promises'
import type { Dice } from '../../integration/oracle/dice.ts'
import type { Answer, Observation, Refusal, Viewer } from '../history/history.ts'
import type { Recorder } from '../history/recorder.ts'
import type { Ask } from './ask.ts'
import type { Content } from './content.ts'
import { mutations } from './mutations.ts'
import { observeRows } from './observe.ts'
import { queries } from './queries.ts'

export interface ClientParts {
  readonly name: string
  readonly viewer: Viewer
  readonly bearer: string | undefined
  /** Where it may ask. */
  readonly nodes: readonly { readonly name: string; readonly url: string }[]
  readonly dice: Dice
  readonly content: Content
  readonly recorder: Recorder
  /** How many of its requests in a hundred carry its token. */
  readonly tokensPercent: number
  /** How long it waits for an answer. */
  readonly patienceMs: number
}

/** Somebody who asks one thing after the other, on any node, mostly with the newest token they know of. */
export class Client {
  readonly #parts: ClientParts
  #token: string | undefined

  constructor(parts: ClientParts) {
    this.#parts = parts
  }

  get name(): string {
    return this.#parts.name
  }

  get viewer(): Viewer {
    return this.#parts.viewer
  }

  /** What it has asked lately, to be asked again. */
  readonly queries: Ask[] = []

  async work(isOver: () => boolean, others: readonly Client[]): Promise<void> {
    const { dice } = this.#parts
    while (!isOver()) {
      if (dice.chance(4)) this.#adopt(dice.pick(others))
      await this.#send(this.#choose())
    }
  }

  #choose(): Ask {
    const { content, dice, viewer } = this.#parts
    if (dice.chance(viewer === 'visitor' ? 15 : 30)) return this.#chooseMutation()
    const again = dice.chance(40) ? dice.pickAny(this.queries) : undefined
    if (again) return again
    const ask = dice.pick(WEIGHTED_QUERIES)(content, dice, viewer)
    this.queries[this.queries.length < REMEMBERED ? this.queries.length : dice.below(REMEMBERED)] = ask
    return ask
  }

  #chooseMutation(): Ask {
    const { content, dice, viewer } = this.#parts
    const fields =
      viewer === 'visitor' && dice.chance(95) ? ['recordView'] : MUTATIONS_OF[viewer === 'admin' ? 'admin' : 'author']
    const make = mutations[dice.pick(fields)]
    if (!make) throw new Error('Somebody may make a mutation that does not exist.')
    return make(content, dice, viewer)
  }

  #adopt(other: Client): void {
    if (other === this || other.#token === undefined) return
    this.#learnToken(other.#token)
    this.#parts.recorder.record({ is: 'adoption', client: this.name, from: other.name })
  }

  async #send(ask: Ask): Promise<void> {
    const { name, viewer, nodes, dice, content, recorder, tokensPercent } = this.#parts
    const node = dice.pick(nodes)
    const sent = dice.chance(tokensPercent) ? this.#token : undefined
    const after = recorder.size
    const startedAtMs = Date.now()
    const { token, error, observed } = await this.#answer(ask, node.url, sent)
    content.learn(observed, viewer === 'admin' || ask.write?.deletes !== undefined)
    if (token !== undefined && !error) this.#learnToken(token)
    const answer: Answer = {
      is: 'answer',
      asked: describe(ask),
      field: ask.field,
      client: name,
      viewer,
      node: node.name,
      startedAtMs,
      endedAtMs: Date.now(),
      after,
      ...(sent !== undefined && { sent }),
      ...(token !== undefined && { token }),
      ...(error && { error }),
      observed,
      ...(ask.write && { write: ask.write }),
    }
    recorder.record(answer)
    // Else whoever is refused at once would ask nothing but that.
    if (error?.code === 'NETWORK') await sleep(10 + dice.below(30))
  }

  async #answer(ask: Ask, url: string, sent: string | undefined): Promise<Answered> {
    const { bearer, patienceMs } = this.#parts
    try {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          ...(sent !== undefined && { 'stet-as-of': sent }),
        },
        body: JSON.stringify({ query: ask.query, variables: ask.variables }),
        signal: AbortSignal.timeout(patienceMs),
      })
      const { data, errors } = (await response.json()) as Body
      const token = response.headers.get('stet-as-of') ?? undefined
      const [error] = errors ?? []
      // What is null because of an error says nothing.
      if (error) return { token, error: refusal(error), observed: [] }
      return { token, observed: [...observeRows(data), ...(ask.says?.(data?.[ask.field]) ?? [])] }
    } catch (error) {
      const { name, message, cause } = error as Error
      const code = name === 'TimeoutError' ? 'TIMEOUT' : 'NETWORK'
      const why = cause instanceof Error ? `${message}: ${cause.message}` : message
      return { token: undefined, error: { code, message: why, open: true }, observed: [] }
    }
  }

  /** The newer of two: a position of another history counts as newer. */
  #learnToken(token: string): void {
    const [position, epoch] = token.split('.')
    const [known, itsEpoch] = this.#token?.split('.') ?? []
    if (epoch !== itsEpoch || Number(position) > Number(known)) this.#token = token
  }
}

interface Body {
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly errors?: readonly GraphQLErrorBody[]
}

interface GraphQLErrorBody {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions?: { readonly code?: string; readonly requestId?: string }
}

interface Answered {
  readonly token: string | undefined
  readonly error?: Refusal
  readonly observed: readonly Observation[]
}

function refusal({ message, path = [], extensions }: GraphQLErrorBody): Refusal {
  const code = extensions?.code ?? 'none'
  // Below the mutation itself it is what was to be shown of the change that failed, not the change.
  const isOpen = OPEN.includes(code) || path.length > 1 || message.startsWith('The change is made')
  return { code, message, open: isOpen, ...(extensions?.requestId && { requestId: extensions.requestId }) }
}

const OPEN: readonly string[] = ['OUTCOME_UNKNOWN', 'WRITE_UNCONFIRMED', 'INTERNAL_SERVER_ERROR']

const describe = ({ field, variables }: Ask): string => `${field} ${JSON.stringify(variables)}`

/** How many of its queries a client remembers. */
const REMEMBERED = 10

/** Rows most of all, since what is said of them is exact. */
const WEIGHTED_QUERIES = Object.entries(queries).flatMap(([field, make]) =>
  Array.from({ length: ['article', 'articles', 'node'].includes(field) ? 3 : 1 }, () => make),
)

const ARTICLE_MUTATIONS = [
  'createArticle',
  'updateArticle',
  'updateArticle',
  'updateArticle',
  'publishArticle',
  'unpublishArticle',
  'deleteArticle',
  'setArticleTags',
]

const MUTATIONS_OF = {
  author: [...ARTICLE_MUTATIONS, 'recordView', 'recordView', 'updateUser'],
  admin: [...ARTICLE_MUTATIONS, ...Object.keys(mutations)],
} as const
