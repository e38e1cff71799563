import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  Lexer,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
  Source,
  TokenKind,
} from 'graphql'
import { ClientError } from '../../kernel/errors.ts'

/** What a document may be, whatever it would cost to run. Each has an option of its own: `QUERY_MAX_…`. */
export interface DocumentLimits {
  /** Length of its text, in bytes of UTF-8. */
  readonly maxBytes: number
  /** Words, numbers, texts and punctuation marks. */
  readonly maxTokens: number
  /** How deep fields lie within fields. */
  readonly maxDepth: number
  /** Fields that one operation answers, with fragments written out: each once for each place in the answer. */
  readonly maxFields: number
  /** How many of these are given another name. */
  readonly maxAliases: number
  /** Fields of `Query` that one operation asks for. */
  readonly maxRootFields: number
  /** Fields of `Mutation` that one operation runs, one after another. */
  readonly maxMutations: number
}

/**
 * Parses a document within the limits. What a document costs to parse, validate and plan is bounded by them, so they are looked at
 * first: text, tokens and nesting before it is parsed, the rest before it is validated.
 * @returns undefined if the document doesn't parse: Apollo says what is wrong with it
 * @throws QUERY_TOO_COMPLEX with status 400, naming the limit
 */
export function parseWithin(text: string, limits: DocumentLimits): DocumentNode | undefined {
  checkText(text, limits)
  const document = parseOrNothing(text)
  if (document) new DocumentMeter(document, limits).check()
  return document
}

function parseOrNothing(text: string): DocumentNode | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function checkText(text: string, { maxBytes, maxTokens }: DocumentLimits): void {
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) {
    throw tooComplex(`The query has ${Buffer.byteLength(text)} bytes`, maxBytes, 'QUERY_MAX_BYTES')
  }
  let open = 0
  let tokens = 0
  for (const kind of tokensOf(text)) {
    if (++tokens > maxTokens)
      throw tooComplex(`The query has more than ${maxTokens} tokens`, maxTokens, 'QUERY_MAX_TOKENS')
    if (OPENING.has(kind)) open++
    else if (CLOSING.has(kind)) open--
    if (open > MAX_BRACKETS) throw tooComplex(`The query opens more than ${MAX_BRACKETS} brackets within each other`)
  }
}

/** The kinds of its tokens, up to the first that is none. */
function* tokensOf(text: string): Generator<TokenKind> {
  const lexer = new Lexer(new Source(text))
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) yield token.kind
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
  }
}

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L])
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R])

/** graphql-js parses, validates and prints by recursion. It overflows its stack at some 2,000. */
const MAX_BRACKETS = 200

/** Walks through what each operation answers, and stops where it goes beyond a limit. */
class DocumentMeter {
  readonly #document: DocumentNode
  readonly #limits: DocumentLimits
  readonly #fragments = new Map<string, FragmentDefinitionNode>()
  /** Fragments that lie within themselves, one of each ring. Validation refuses them; here they must only come to an end. */
  readonly #endless: ReadonlySet<string>
  readonly #writtenOut = new Map<string, number>()
  #fields = 0
  #aliases = 0
  #introspections = 0
  /** Pairs of selections of one field: graphql-js compares each of them to see whether they agree. */
  #pairs = 0

  constructor(document: DocumentNode, limits: DocumentLimits) {
    this.#document = document
    this.#limits = limits
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition)
    }
    this.#endless = endlessOf(this.#fragments)
  }

  check(): void {
    const { maxFields, maxRootFields, maxMutations } = this.#limits
    for (const definition of this.#document.definitions) {
      if (!('selectionSet' in definition)) continue
      this.#fields = this.#aliases = this.#introspections = 0
      const roots = this.#measure([definition.selectionSet], 1)
      const maxSelections = SELECTIONS_OF_FIELD * maxFields
      if (this.#countWrittenOut(definition.selectionSet) > maxSelections) {
        const what = `With its fragments written out the query has more than ${maxSelections} selections`
        throw tooComplex(what, maxSelections, `${SELECTIONS_OF_FIELD} × QUERY_MAX_FIELDS`)
      }
      // Fragments that no operation uses are validated, too.
      if (definition.kind === Kind.FRAGMENT_DEFINITION) continue
      if (definition.operation === OperationTypeNode.MUTATION && roots > maxMutations) {
        throw tooComplex(`The operation runs ${roots} mutations`, maxMutations, 'QUERY_MAX_MUTATIONS')
      }
      if (roots > maxRootFields) {
        throw tooComplex(`The query asks for ${roots} fields at its root`, maxRootFields, 'QUERY_MAX_ROOT_FIELDS')
      }
    }
  }

  /** How many selections there are if each fragment is written out wherever it is spread, also where they are one field in the end: who prices an operation visits them all. */
  #countWrittenOut({ selections }: SelectionSetNode): number {
    let count = selections.length
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) count += this.#countOf(selection.name.value)
      else if (selection.selectionSet) count += this.#countWrittenOut(selection.selectionSet)
    }
    return count
  }

  #countOf(name: string): number {
    const known = this.#writtenOut.get(name)
    const fragment = this.#fragments.get(name)
    if (known !== undefined || !fragment || this.#endless.has(name)) return known ?? 0
    const count = this.#countWrittenOut(fragment.selectionSet)
    this.#writtenOut.set(name, count)
    return count
  }

  /** @returns how many fields these selections answer together, without those within them */
  #measure(sets: readonly SelectionSetNode[], depth: number): number {
    const { maxDepth, maxFields } = this.#limits
    if (depth > maxDepth) throw tooComplex(`The query nests more than ${maxDepth} fields`, maxDepth, 'QUERY_MAX_DEPTH')
    const within = new Map<string, SelectionSetNode[]>()
    const counts = new Map<string, number>()
    const spread = new Set<string>()
    const collect = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet)
        else if (selection.kind === Kind.FRAGMENT_SPREAD) {
          const { value: name } = selection.name
          const fragment = this.#fragments.get(name)
          if (!fragment || spread.has(name) || this.#endless.has(name)) continue
          spread.add(name)
          collect(fragment.selectionSet)
        } else {
          const key = selection.alias?.value ?? selection.name.value
          const count = counts.get(key) ?? 0
          counts.set(key, count + 1)
          this.#pairs += count
          if (this.#pairs > MAX_PAIRS) throw tooComplex(`The query asks for the same fields again and again`)
          if (selection.alias) this.#countAlias()
          if (selection.name.value.startsWith('__') && selection.selectionSet) this.#countIntrospection()
          if (!selection.selectionSet) continue
          const others = within.get(key)
          if (others) others.push(selection.selectionSet)
          else within.set(key, [selection.selectionSet])
        }
      }
    }
    for (const set of sets) collect(set)
    this.#fields += counts.size
    if (this.#fields > maxFields)
      throw tooComplex(`The query asks for more than ${maxFields} fields`, maxFields, 'QUERY_MAX_FIELDS')
    for (const inner of within.values()) this.#measure(inner, depth + 1)
    return counts.size
  }

  #countAlias(): void {
    const { maxAliases } = this.#limits
    if (++this.#aliases > maxAliases) {
      throw tooComplex(`The query gives more than ${maxAliases} fields another name`, maxAliases, 'QUERY_MAX_ALIASES')
    }
  }

  #countIntrospection(): void {
    if (++this.#introspections <= MAX_INTROSPECTIONS) return
    throw tooComplex(`The query asks for the schema more than ${MAX_INTROSPECTIONS} times`)
  }
}

/** Of each ring of fragments one at least, so that whoever passes over these comes to an end: where a walk meets what it is in. */
function endlessOf(fragments: ReadonlyMap<string, FragmentDefinitionNode>): ReadonlySet<string> {
  const endless = new Set<string>()
  const entered = new Set<string>()
  const left = new Set<string>()
  const enter = (name: string): void => {
    const fragment = fragments.get(name)
    if (!fragment || left.has(name)) return
    if (entered.has(name)) {
      endless.add(name)
      return
    }
    entered.add(name)
    for (const next of spreadsIn(fragment.selectionSet)) enter(next)
    left.add(name)
  }
  for (const name of fragments.keys()) enter(name)
  return endless
}

function spreadsIn({ selections }: SelectionSetNode): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return [selection.name.value]
    return selection.selectionSet ? spreadsIn(selection.selectionSet) : []
  })
}

/** A few milliseconds of work. */
const MAX_PAIRS = 10_000
const MAX_INTROSPECTIONS = 5
/** On average. */
const SELECTIONS_OF_FIELD = 10

const tooComplex = (what: string, max?: number, option?: string): ClientError =>
  new ClientError(
    'QUERY_TOO_COMPLEX',
    max === undefined ? `${what}.` : `${what}; the server takes ${max} (${option}).`,
    {
      status: 400,
    },
  )
