import type { Transaction } from 'kysely'
import type { Ledger } from '../cache/index.ts'
import { explainConnectionError, isConnectionError, isRetryable } from '../database/connection-errors.ts'
import type { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import type { Follower } from '../invalidation/index.ts'
import { AskerError } from '../kernel/errors.ts'
import { nameAsker } from '../request/asker.ts'
import type { Context } from '../request/context.ts'
import type { Viewer } from '../request/viewer.ts'

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
}

/** The context of one GraphQL request. A plain object: Apollo copies it. */
export function createRequestContext(parts: RequestContextParts): Context {
  const { database, follower, ledger, requestId, viewer, address, bypass, position, unsure } = parts
  const progress = {
    writes: 0,
    wroteFrom: ledger.place,
    newest: 0,
    read: { memory: 0, redis: 0, source: 0, stale: 0 },
  }
  return {
    requestId,
    viewer,
    asker: nameAsker(viewer, address),
    progress,
    unsure,
    reader: {
      bypass,
      position,
      get fresh() {
        return progress.writes > 0
      },
      onRead: (_kind, { asOf }, origin, stale) => {
        progress.newest = Math.max(progress.newest, asOf)
        progress.read[stale ? 'stale' : origin]++
      },
    },
    write: async (work) => {
      const began = ledger.place
      const result = await database.writes.run(() => commit(database.primary, work))
      progress.writes++
      await confirm(follower)
      progress.wroteFrom = began
      return result
    },
  }
}

/** Runs `work` in a transaction; again where that was rolled back for the sake of another one. */
async function commit<T>(
  primary: Database['primary'],
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let committing = false
    try {
      return await primary.transaction().execute(async (transaction) => {
        const result = await work(transaction)
        committing = true
        return result
      })
    } catch (error) {
      if (committing && isConnectionError(error)) {
        const message = 'Nobody knows whether the change is made: read before you repeat it.'
        throw new AskerError('OUTCOME_UNKNOWN', message, { status: 503, cause: error })
      }
      if (attempt === MAX_ATTEMPTS || !isRetryable(error)) throw explainConnectionError(error)
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
