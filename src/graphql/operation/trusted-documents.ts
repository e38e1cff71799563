import { readFileSync } from 'node:fs'
import { buildSchema, type GraphQLError, type GraphQLSchema, Kind, parse, validate } from 'graphql'
import { ClientError } from '../../kernel/errors.ts'
import { readSchema } from '../schema/index.ts'
import { type DocumentLimits, parseWithin } from './limit-document.ts'

/** The documents that whoever runs the server has listed. */
export class TrustedDocuments {
  readonly #byId: ReadonlyMap<string, string>
  readonly #texts: ReadonlySet<string>

  constructor(byId: ReadonlyMap<string, string>) {
    this.#byId = byId
    this.#texts = new Set(byId.values())
  }

  /** @param id with or without `sha256:` before it */
  find(id: string): string | undefined {
    return this.#byId.get(bare(id))
  }

  /** Whether this very text is one of them. */
  holds(text: unknown): boolean {
    return this.#texts.has(text as string)
  }
}

/**
 * Reads a manifest, as GraphQL Code Generator's client preset writes it (`persisted-documents.json`), or as Apollo's
 * `generate-persisted-query-manifest` does. Throws one line that names the file, the document, and what is wrong with it.
 */
export function readTrustedDocuments(path: string, limits: DocumentLimits): TrustedDocuments {
  const schema = buildSchema(readSchema())
  const byId = new Map<string, string>()
  for (const [id, text] of listed(readJson(path), path)) {
    const wrong = byId.has(bare(id)) ? 'is listed twice' : fault(text, schema, limits)
    if (wrong) throw new Error(oneLine(`${path}: document ${JSON.stringify(id)} ${wrong}`))
    byId.set(bare(id), text)
  }
  return new TrustedDocuments(byId)
}

function readJson(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(oneLine(`${path} can't be read: ${(error as Error).message}`))
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(oneLine(`${path} is not JSON: ${(error as Error).message}`))
  }
}

function listed(manifest: unknown, path: string): readonly (readonly [id: string, text: string])[] {
  const documents = isApollos(manifest)
    ? manifest.operations.map(({ id, body }) => [id, body])
    : Object.entries(isObject(manifest) ? manifest : {})
  if (documents.length > 0 && documents.every(isDocument)) return documents
  throw new Error(`${path} is no manifest: it must be ${CODEGENS_SHAPE}, or ${APOLLOS_SHAPE}.`)
}

const CODEGENS_SHAPE = '{ "<id>": "<document>" }'
const APOLLOS_SHAPE =
  '{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [{ "id": "<id>", "body": "<document>" }] }'

interface ApollosManifest {
  readonly operations: readonly { readonly id?: unknown; readonly body?: unknown }[]
}

const isApollos = (manifest: unknown): manifest is ApollosManifest =>
  isObject(manifest) &&
  manifest.format === 'apollo-persisted-query-manifest' &&
  manifest.version === 1 &&
  Array.isArray(manifest.operations) &&
  manifest.operations.every(isObject)

const isDocument = (document: readonly unknown[]): document is [id: string, text: string] =>
  document.every((part) => typeof part === 'string')

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function fault(text: string, schema: GraphQLSchema, limits: DocumentLimits): string | undefined {
  try {
    parseWithin(text, limits)
    const document = parse(text)
    if (!document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION)) return 'holds no operation.'
    const [error] = validate(schema, document)
    return error && `doesn't fit the schema: ${explain(error)}`
  } catch (error) {
    return error instanceof ClientError
      ? `is too much: ${error.message}`
      : `doesn't parse: ${explain(error as GraphQLError)}`
  }
}

const explain = ({ message, locations }: GraphQLError): string =>
  [message, ...(locations ?? []).slice(0, 1).map(({ line, column }) => `(line ${line}, column ${column})`)].join(' ')

const bare = (id: string): string => id.replace(/^sha256:/, '')

const oneLine = (text: string): string => text.replace(/\s+/g, ' ')
