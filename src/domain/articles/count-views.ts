import { sql } from 'kysely'
import { MAX_COUNT } from '../../kernel/ranges.ts'
import type { PeriodicJob, QueueKind } from '../../worker/index.ts'

/** The queue of views to count. A job is an article's id; a batch holds how many views each article got. */
export const countViews: QueueKind<number, ReadonlyMap<number, number>> = {
  name: 'views',
  parse: (json) => {
    if (!Number.isSafeInteger(json)) throw new TypeError(`A view is the id of an article, not ${JSON.stringify(json)}.`)
    return Number(json)
  },
  merge: (ids) => {
    const views = new Map<number, number>()
    for (const id of ids) views.set(id, (views.get(id) ?? 0) + 1)
    return views
  },
  // Articles that were deleted meanwhile have no row any more. Rows are locked in the order of rankArticles: no deadlock.
  apply: (transaction, views) =>
    sql`
      with viewed as (
        select article_id, count
          from article_stats
          join unnest(${[...views.keys()]}::bigint[], ${[...views.values()]}::bigint[]) as given (id, count) on id = article_id
         order by article_id
           for no key update of article_stats
      )
      update article_stats set views = least(views + viewed.count, ${MAX_COUNT}::bigint) from viewed where article_stats.article_id = viewed.article_id
    `.execute(transaction),
}

/**
 * Ranks the articles by their present views. Only this run invalidates the lists of most viewed articles, not each view. Articles whose
 * counters were lost while triggers were off get new ones: without, these lists would lack them.
 */
export const rankArticles = (everyMs: number): PeriodicJob => ({
  name: 'rank-articles',
  everyMs,
  run: (transaction) =>
    sql`
      with missing as (
        insert into article_stats (article_id)
          select id from articles where not exists (select from article_stats where article_id = id) order by id
          on conflict do nothing
      ), moved as (
        select article_id from article_stats where ranked_views <> views order by article_id for no key update
      )
      update article_stats set ranked_views = views from moved where article_stats.article_id = moved.article_id
    `.execute(transaction),
})
