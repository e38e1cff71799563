import type { Database } from '../database/database.ts'
import type { Follower } from '../invalidation/index.ts'
import { AskerError } from '../kernel/errors.ts'
import type { Context } from '../request/context.ts'
import type { Viewer } from '../request/viewer.ts'

export interface RequestContextParts {
  readonly database: Database
  readonly follower: Follower
  readonly requestId: string
  readonly viewer: Viewer
  /** Read through to the database. */
  readonly bypass: boolean
}

/** The context of one GraphQL request. A plain object: Apollo copies it. */
export function createRequestContext({ database, follower, requestId, viewer, bypass }: RequestContextParts): Context {
  const progress = { writes: 0, newest: 0 }
  return {
    requestId,
    viewer,
    progress,
    reader: {
      bypass,
      onRead: (_kind, { asOf }) => {
        progress.newest = Math.max(progress.newest, asOf)
      },
    },
    write: async (work) => {
      const result = await database.primary.transaction().execute(work)
      progress.writes++
      await confirm(follower)
      return result
    },
  }
}

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
