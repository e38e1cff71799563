import { type DocumentNode, type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql'

/** Remembers what was counted, for as long as its document is kept: cursors and names change with each request, and count nothing. */
export class KnownComplexities {
  readonly #known = new WeakMap<DocumentNode, Map<string, number>>()

  /** What `count` gives, or once gave for variables that differ in nothing that counts. What it throws is not remembered. */
  recall(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
    count: () => number,
  ): number {
    const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables)
    if (!coerced) return count()
    const key = [operation.name?.value, ...Object.entries(coerced).map(([name, value]) => `${name}: ${weight(value)}`)]
    const known = this.#knownOf(document)
    const name = key.join()
    let complexity = known.get(name)
    if (complexity === undefined) {
      complexity = count()
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(name, complexity)
    }
    return complexity
  }

  #knownOf(document: DocumentNode): Map<string, number> {
    const known = this.#known.get(document) ?? new Map<string, number>()
    this.#known.set(document, known)
    return known
  }
}

/** For each document. */
const MAX_KNOWN = 32

/** What of a variable can count: numbers, for how long a page is; booleans, for what is skipped; lists, for their length; and whether there is one at all. */
function weight(value: unknown): string {
  if (Array.isArray(value)) return `list of ${value.length}`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return 'given'
}
