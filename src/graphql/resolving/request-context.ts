import type { Entry, Ledger, Origin, Reader, StaleReason } from '../../cache/index.ts'
import { type Database, explainConnectionError, isLostOnTheWay, isRetryable } from '../../database/index.ts'
import { nameAsker, type Viewer } from '../../identity/index.ts'
import type { Follower } from '../../invalidation/index.ts'
import { AskerError } from '../../kernel/errors.ts'
import { CacheControl } from './cache-control.ts'
import type { Context } from './context.ts'

export interface RequestContextParts {
  readonly database: Database
  readonly follower: Follower
  readonly ledger: Ledger
  readonly requestId: string
  readonly viewer: Viewer
  /** Where the request came from. */
  readonly address: string
  /** Read through to the database. */
  readonly bypass: boolean
  /** The log position that the asker knows of. */
  readonly position: number
  /** The log can't be read: others may have written what nobody here knows of. */
  readonly unsure: boolean
  /** Hears of every entry that is read, too. */
  readonly onRead?: Reader['onRead'] | undefined
}

/** The context of one GraphQL request. HAZARD: Apollo copies its properties to another object of the same class. */
export class RequestContext implements Context {
  readonly requestId: string
  readonly asker: string
  readonly cacheControl = new CacheControl()
  readonly progress: Progress
  readonly unsure: boolean
  readonly reader: Reader
  readonly made: Context['made'] = new Map()
  readonly write: Context['write']
  readonly writeAtOnce: Context['writeAtOnce']
  /** Who asks: for those who need not tell. */
  readonly asking: Viewer

  constructor({
    database,
    follower,
    ledger,
    requestId,
    viewer,
    address,
    bypass,
    position,
    unsure,
    onRead,
  }: RequestContextParts) {
    const progress = {
      isQuestion: false,
      document: undefined,
      result: undefined,
      writes: 0,
      wroteFrom: ledger.place,
      newest: 0,
      read: { memory: 0, redis: 0, source: 0, stale: 0 },
    }
    const { cacheControl } = this
    this.requestId = requestId
    this.asking = viewer
    this.asker = nameAsker(viewer, address)
    this.progress = progress
    this.unsure = unsure
    this.reader = new RequestReader({ bypass, position, onRead }, progress, cacheControl)
    const perform = async <T>(attempt: Attempt<T>) => {
      const began = ledger.place
      const result = await database.writes.run(() => commit(attempt))
      progress.writes++
      await confirm(follower)
      progress.wroteFrom = began
      return result
    }
    this.write = (work) =>
      perform((onCommit) =>
        database.primary.transaction().execute(async (transaction) => {
          const result = await work(transaction)
          onCommit()
          return result
        }),
      )
    this.writeAtOnce = (work) =>
      perform((onCommit) =>
        database.primary.connection().execute((primary) => {
          onCommit()
          return work(primary)
        }),
      )
  }

  get viewer(): Viewer {
    this.cacheControl.isPersonal = true
    return this.asking
  }
}

/**
 * A class, not an object with a getter: V8 makes a hidden class of its own for each of those, so that every look at it
 * is as slow as the first.
 */
class RequestReader implements Reader {
  readonly bypass: boolean
  readonly position: number
  readonly #onRead: Reader['onRead']
  readonly #progress: Progress
  readonly #cacheControl: CacheControl

  constructor(
    { bypass, position, onRead }: Pick<RequestContextParts, 'bypass' | 'position' | 'onRead'>,
    progress: Progress,
    cacheControl: CacheControl,
  ) {
    this.bypass = bypass
    this.position = position
    this.#onRead = onRead
    this.#progress = progress
    this.#cacheControl = cacheControl
  }

  get fresh(): boolean {
    return this.#progress.writes > 0
  }

  onRead(kind: string, entry: Entry, origin: Origin, stale: StaleReason | undefined): void {
    const progress = this.#progress
    if (entry.asOf > progress.newest) progress.newest = entry.asOf
    progress.read[stale ? 'stale' : origin]++
    this.#cacheControl.onEntry(entry)
    this.#onRead?.(kind, entry, origin, stale)
  }
}

type Progress = { -readonly [Name in keyof Context['progress']]: Context['progress'][Name] } & {
  readonly read: Record<Origin | 'stale', number>
}

/** Writes. Calls back before it sends what may commit. */
type Attempt<T> = (onCommit: () => void) => Promise<T>

/** Again where it was rolled back for the sake of another one. */
async function commit<T>(attempt: Attempt<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    let committing = false
    try {
      return await attempt(() => {
        committing = true
      })
    } catch (error) {
      if (committing && isLostOnTheWay(error)) {
        const message = 'Nobody knows whether the change is made: read before you repeat it.'
        throw new AskerError('OUTCOME_UNKNOWN', message, { status: 503, cause: error })
      }
      if (attempts === MAX_ATTEMPTS || !isRetryable(error)) throw explainConnectionError(error)
    }
  }
}

const MAX_ATTEMPTS = 5

/** Waits until the write that was just committed has its position. */
async function confirm(follower: Follower): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await follower.settle()
    } catch (cause) {
      if (attempt < 3) continue
      const message = 'The change is made, but could not be confirmed: read before you repeat it.'
      throw new AskerError('WRITE_UNCONFIRMED', message, { cause })
    }
  }
}
