import { hasCode } from './has-code.ts'
import { queryOnce } from './query-once.ts'

/** Removes all articles, users and tags. The next ones get ids from 1 on. */
export async function emptyContent(databaseUrl: string): Promise<void> {
  for (;;) {
    try {
      await queryOnce(
        databaseUrl,
        'truncate users, tags, articles, article_tags, article_stats restart identity cascade',
      )
      return
    } catch (error) {
      // It locks one table after the other, and what a node runs by itself may hold the last while it waits for the first.
      if (!hasCode(error, DEADLOCK_DETECTED)) throw error
    }
  }
}

const DEADLOCK_DETECTED = '40P01'
