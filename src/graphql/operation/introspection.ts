import { BREAK, type DocumentNode, type GraphQLError, visit } from 'graphql'
import { ClientError } from '../../kernel/errors.ts'
import type { Context } from '../resolving/index.ts'

type Role = Context['role']

/** Who may ask for the schema: everyone, admins, or nobody. */
type IntrospectionMode = 'on' | 'admin' | 'off'

/** Decides which viewers learn of the schema: by introspection, or by what graphql-js suggests instead of a name that there isn't. */
export class Introspection {
  readonly #mode: IntrospectionMode

  constructor(mode: IntrospectionMode) {
    this.#mode = mode
  }

  /** Throws FORBIDDEN (400) if this document asks for the schema and this viewer may not. To be called before each execution: that a document is valid holds for all viewers. */
  check(document: DocumentNode, role: Role): void {
    if (this.#mayLearn(role) || !introspects(document)) return
    const who = this.#mode === 'admin' ? 'only an admin' : 'nobody'
    throw new ClientError('FORBIDDEN', `Here ${who} may ask for the schema.`, { status: 400 })
  }

  /** Cuts the suggestions off the messages of graphql-js. HAZARD: they name fields, types and values, so by asking on one learns the schema. */
  hideSuggestions(errors: readonly GraphQLError[], role: Role): void {
    for (const error of errors) {
      if (SUGGESTION.test(error.message) && !this.#mayLearn(role)) {
        error.message = error.message.replace(SUGGESTION, '')
      }
    }
  }

  #mayLearn(role: Role): boolean {
    return this.#mode === 'on' || (this.#mode === 'admin' && role === 'admin')
  }
}

const SUGGESTION = / Did you mean .*\?$/s

/** True if a document asks for the schema. `__typename` tells nothing that the answer doesn't. */
function introspects(document: DocumentNode): boolean {
  let found = known.get(document)
  if (found === undefined) {
    found = false
    visit(document, {
      Field: ({ name }) => {
        if (!isOfSchema(name.value)) return undefined
        found = true
        return BREAK
      },
    })
    known.set(document, found)
  }
  return found
}

const known = new WeakMap<DocumentNode, boolean>()

/** True for the fields by which the schema is asked for. */
export const isOfSchema = (field: string): boolean => field === '__schema' || field === '__type'
