import type { Cache, Entry, Ledger, Origin, Reader, StaleReason } from '../../cache/index.ts'
import {
  type Act,
  AuditPlugin,
  type Database,
  explainConnectionError,
  isLostOnTheWay,
  isRetryable,
  recordWritten,
} from '../../database/index.ts'
import { clientOf, userIdOf, type Viewer } from '../../identity/index.ts'
import type { Follower } from '../../invalidation/index.ts'
import { ClientError } from '../../kernel/errors.ts'
import { isPromise, nowOrLater } from '../../kernel/promise-or-value.ts'
import type { Allowance } from './allowances.ts'
import { CacheControl } from './cache-control.ts'
import type { ConstraintErrors, Context } from './context.ts'
import { tryToRead } from './read-back.ts'

export interface RequestContextParts {
  readonly cache: Pick<Cache, 'snapshot'>
  readonly database: Database
  readonly follower: Follower
  readonly ledger: Ledger
}

/** Who asks, and how this request may be answered. */
export interface RequestContextOptions {
  readonly requestId: string
  readonly viewer: Viewer
  /** The client's IP address. */
  readonly address: string
  /** What audit records say of writes that no mutation makes. */
  readonly act?: Act | undefined
  /** Reads go to the database, not to the cache. */
  readonly bypass: boolean
  /** The log position that the answer must reflect. */
  readonly position: number
  /** The log cannot be read at present: this node may not know of recent writes. */
  readonly unsure: boolean
  /** What its client may spend. Undefined: that is not counted. */
  readonly allowance?: Allowance | undefined
  /** See `Context.goOn`. Default: always at once. */
  readonly goOn?: Context['goOn']
}

/**
 * The context of one GraphQL request. HAZARD: Apollo copies its properties to another object of the same class, so it must
 * have no private fields.
 */
export class RequestContext implements Context {
  readonly requestId: string
  readonly role: Viewer['kind']
  readonly onPriced: Context['onPriced']
  readonly goOn: Context['goOn']
  readonly client: string
  readonly cacheControl = new CacheControl()
  readonly progress: Progress
  readonly unsure: boolean
  readonly made: Context['made'] = new Map()
  readonly inOneSnapshot: Context['inOneSnapshot']
  readonly write: Context['write']
  readonly writeAtOnce: Context['writeAtOnce']
  /** The viewer, without marking the answer as personal: for `viewer` alone. */
  readonly unmarkedViewer: Viewer

  /** @param onRead called for every entry that is read */
  constructor(
    { cache, database, follower, ledger }: RequestContextParts,
    { requestId, viewer, address, act, bypass, position, unsure, allowance, goOn }: RequestContextOptions,
    onRead?: Reader['onRead'],
  ) {
    const { cacheControl } = this
    const read = { memory: 0, redis: 0, source: 0, stale: 0 }
    let fresh = false
    const newReader = (): Reader => new RequestReader({ bypass, fresh, position, onRead, read })
    const progress: Progress = {
      reader: newReader(),
      isQuestion: false,
      mutation: undefined,
      document: undefined,
      prepared: undefined,
      cost: undefined,
      refusal: undefined,
      result: undefined,
      wroteFrom: ledger.place,
      snapshot: ledger.place,
      read,
    }
    this.requestId = requestId
    this.unmarkedViewer = viewer
    this.role = viewer.kind
    this.onPriced = allowance?.price
    this.goOn = goOn
    this.client = clientOf(viewer, address)
    this.progress = progress
    this.unsure = unsure
    const takeSnapshot: Cache['snapshot'] = (make, reader) => {
      const taken = cache.snapshot(make, reader)
      // HAZARD: a caller who took a write for failed would make it again.
      return fresh && isPromise(taken) ? tryToRead(() => taken) : taken
    }
    this.inOneSnapshot = (make) =>
      nowOrLater(
        takeSnapshot((reader) => {
          progress.reader = reader
          return make()
        }, newReader()),
        ({ value, epoch, position, entries }) => {
          progress.snapshot = { epoch, position }
          cacheControl.onEntries(entries)
          return value
        },
      )
    const perform = async <T>(errors: ConstraintErrors | undefined, attempt: Attempt<T>) => {
      const began = ledger.place
      const audited = act ?? actOf(progress, { viewer, address, requestId })
      const result = await database.writes.run(() => commit((onCommit) => attempt(onCommit, audited), errors))
      fresh = true
      progress.reader = newReader()
      await confirm(follower)
      progress.wroteFrom = began
      return result
    }
    this.write = (work, errors) =>
      perform(errors, (onCommit, act) =>
        database.primary.transaction().execute(async (transaction) => {
          const audit = new AuditPlugin(act)
          const result = await work(transaction.withPlugin(audit))
          if (!audit.isUsed) await recordWritten(transaction, act)
          onCommit()
          return result
        }),
      )
    this.writeAtOnce = (work, errors) =>
      perform(errors, (onCommit, act) =>
        database.primary.connection().execute((primary) => {
          onCommit()
          return work(primary.withPlugin(new AuditPlugin(act)))
        }),
      )
  }

  get viewer(): Viewer {
    this.cacheControl.isPersonal = true
    return this.unmarkedViewer
  }
}

/** Where an answer came from, as `X-Cache` says it. */
export type CacheWord = 'HIT' | 'MISS' | 'STALE' | 'BYPASS'

/** STALE if any entry was stale, or may be because the log cannot be read. MISS if any entry was loaded, or none was read. */
export function cacheWord({ unsure, progress: { reader, read } }: Context): CacheWord {
  if (reader.bypass) return 'BYPASS'
  const held = read.memory + read.redis
  if (read.stale > 0 || (unsure && held > 0)) return 'STALE'
  return read.source > 0 || held === 0 ? 'MISS' : 'HIT'
}

/** Reads for one request, and counts where what it was given came from. */
class RequestReader implements Reader {
  readonly bypass: boolean
  readonly fresh: boolean
  readonly position: number
  readonly #onRead: Reader['onRead']
  readonly #read: ReadCounts

  constructor({ bypass, fresh, position, onRead, read }: RequestReaderParts) {
    this.bypass = bypass
    this.fresh = fresh
    this.position = position
    this.#onRead = onRead
    this.#read = read
  }

  onRead(kind: string, entry: Entry, origin: Origin, stale: StaleReason | undefined): void {
    this.#read[stale ? 'stale' : origin]++
    this.#onRead?.(kind, entry, origin, stale)
  }
}

interface RequestReaderParts extends Pick<RequestContextOptions, 'bypass' | 'position'> {
  readonly onRead: Reader['onRead']
  /** The request has written: nothing stale serves. */
  readonly fresh: boolean
  readonly read: ReadCounts
}

type ReadCounts = Record<Origin | 'stale', number>

/** What audit records say of the mutation that is executed now. Mutations of one request are executed one after another. */
function actOf(
  { mutation }: Progress,
  { viewer, address, requestId }: Pick<RequestContextOptions, 'viewer' | 'address' | 'requestId'>,
): Act {
  if (mutation === undefined) throw new TypeError('A write must belong to a mutation, or name its act.')
  const userId = userIdOf(viewer)
  const actor = userId === undefined ? undefined : `users:${userId}`
  return { actor, role: viewer.kind, action: mutation, address, requestId }
}

type Progress = { -readonly [Name in keyof Context['progress']]: Context['progress'][Name] }

/** Tries a write. Calls `onCommit` before it sends the statement that may commit. */
type Attempt<T> = (onCommit: () => void, act: Act) => Promise<T>

/** Tries a write again if PostgreSQL rolled it back because of another transaction. */
async function commit<T>(
  attempt: (onCommit: () => void) => Promise<T>,
  errors: ConstraintErrors | undefined,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    let committing = false
    try {
      return await attempt(() => {
        committing = true
      })
    } catch (error) {
      if (committing && isLostOnTheWay(error)) {
        const message = 'Nobody knows whether the change is made: read before you repeat it.'
        throw new ClientError('OUTCOME_UNKNOWN', message, { status: 503, cause: error })
      }
      if (attempts === MAX_ATTEMPTS || !isRetryable(error)) {
        throw brokenConstraint(error, errors) ?? explainConnectionError(error)
      }
    }
  }
}

function brokenConstraint(cause: unknown, errors: ConstraintErrors = {}): ClientError | undefined {
  // PostgreSQL names the constraint that was broken.
  const { constraint } = cause as { readonly constraint?: unknown }
  const explained = typeof constraint === 'string' ? errors[constraint] : undefined
  if (!explained) return undefined
  const [code, message, field] = explained
  return new ClientError(code, message, { field, cause })
}

const MAX_ATTEMPTS = 5

/** Waits until the write that was just committed has its position in the log. */
async function confirm(follower: Follower): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await follower.settle()
    } catch (cause) {
      if (attempt < 3) continue
      const message = 'The change is made, but could not be confirmed: read before you repeat it.'
      throw new ClientError('WRITE_UNCONFIRMED', message, { cause })
    }
  }
}
