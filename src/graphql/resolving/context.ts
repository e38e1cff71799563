import type { DocumentNode, ExecutionResult, OperationDefinitionNode } from 'graphql'
import type { Kysely, Transaction } from 'kysely'
import type { LogPlace, Origin, Reader } from '../../cache/index.ts'
import type { Tables } from '../../database/index.ts'
import type { Viewer } from '../../identity/index.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { CacheControl } from './cache-control.ts'

/** The GraphQL context of one request: its viewer, how it reads the cache and how it writes to the database. */
export interface Context {
  readonly requestId: string
  /**
   * The viewer. HAZARD: reading this marks the answer as personal. A resolver whose result depends on the viewer must read
   * it from here. Otherwise the answer is cached for everybody, and another viewer gets it.
   */
  readonly viewer: Viewer
  /** The viewer's, for limits alone: reading it does not mark the answer as personal. HAZARD: an answer must not depend on it. */
  readonly role: Viewer['kind']
  /** For how long the answer may be cached, for whom, and what invalidates it. */
  readonly cacheControl: CacheControl
  /** Called with what the operation costs, before it is run. */
  readonly onPriced: ((cost: number) => void) | undefined
  /** Resolves when a request that has waited for something may work on: others may have waited for longer. Undefined: at once. */
  readonly goOn: (() => Promise<void> | undefined) | undefined
  /** The client whose actions rate limits count: see `clientOf`. */
  readonly client: string
  /** The log cannot be read at present, so the answer may be out of date. */
  readonly unsure: boolean
  readonly progress: {
    /** Passed to every read of the cache. It is another one after each write, and whenever the answer is made again. */
    readonly reader: Reader
    /** The request holds an operation. Any further error is about the operation, not about the HTTP request. */
    isQuestion: boolean
    /** The field of the mutation that is executed now: audit records name it. */
    mutation: string | undefined
    /** The operation's document, once it is known to be valid. */
    document: DocumentNode | undefined
    /** The operation, once it may be run. */
    prepared: PreparedOperation | undefined
    /** What it costs. */
    cost: number | undefined
    /** Why it may not be run. */
    refusal: Error | undefined
    /** What running it brought, or why it can't be run. */
    result: ExecutionResult | undefined
    /** This node's place in the log when the last of these writes began. */
    readonly wroteFrom: LogPlace
    /** The place in the log that the answer is a snapshot of. A mutation's is that of its last field. */
    readonly snapshot: LogPlace
    /** How many entries were read from each origin. */
    readonly read: Readonly<Record<Origin | 'stale', number>>
  }
  /** The values that `perRequest` made for this request. */
  readonly made: Map<unknown, { readonly reader: Reader; readonly value: unknown }>
  /** What `make` makes of one snapshot of the database. It is made again while what it reads isn't one: see `Cache.snapshot`. */
  inOneSnapshot<T>(make: () => PromiseOrValue<T>): PromiseOrValue<T>
  /**
   * Runs `work` in a transaction, which leaves an audit record. Resolves once the transaction's writes are in the log and this node's ledger knows them.
   *
   * HAZARD: inside `work`, read and write only with the transaction. What it sees may yet be rolled back and must never be cached.
   *
   * @throws the error in `errors` of a constraint that `work` breaks; OUTCOME_UNKNOWN if the connection breaks during the commit; WRITE_UNCONFIRMED if the log cannot be read after it
   */
  write<T>(work: (transaction: Transaction<Tables>) => Promise<T>, errors?: ConstraintErrors): Promise<T>
  /**
   * Like `write`, for a single writing statement, which PostgreSQL commits by itself.
   * HAZARD: with two writing statements, only one of them may be committed.
   */
  writeAtOnce<T>(work: (primary: Kysely<Tables>) => Promise<T>, errors?: ConstraintErrors): Promise<T>
}

/** An operation of a valid document, with its variables as the schema takes them. */
interface PreparedOperation {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  readonly variables: Readonly<Record<string, unknown>>
}

/** What the client is told if a write breaks the constraint of this name. */
export interface ConstraintErrors {
  readonly [constraint: string]: readonly [code: ErrorCode, message: string, field?: string]
}
