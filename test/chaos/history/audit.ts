import { queryOnce } from '../../harness/index.ts'
import type { History, RowWrite } from './history.ts'

/**
 * Has the database itself write down what becomes of each row, in the same transaction: so that the order of the writes
 * of a row is known, whatever their writers were told. A record of its own in the log then tells at which position it was.
 */
export const installAudit = (url: string) =>
  queryOnce(
    url,
    `create schema chaos;
     create table chaos.writes (
       id bigint generated always as identity primary key,
       transaction text not null default pg_current_xact_id()::text,
       at timestamptz not null default clock_timestamp(),
       row_key text not null,
       state jsonb
     );
     create function chaos.record() returns trigger language plpgsql as $$
     declare
       changed jsonb := case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
       key text := coalesce(changed->>'id', concat_ws(',', changed->>'article_id', changed->>'tag_id'));
       written bigint;
     begin
       insert into chaos.writes (row_key, state)
         values (tg_table_name || ':' || key, case when tg_op <> 'DELETE' then changed - 'search' end)
         returning id into written;
       perform stet.touch('chaos:' || written);
       return null;
     end
     $$;
     ${TABLES.map(
       (table) =>
         `create trigger chaos_record after insert or update or delete on ${table} for each row execute function chaos.record();
         alter table ${table} enable always trigger chaos_record;`,
     ).join('\n')}`,
  )

/**
 * Reads what was written down. Every write must have its position by now: the last one of those that were given theirs at once,
 * because no answer may be of a position before. All of these name the same transaction as the next to come.
 */
export async function readAudit(url: string): Promise<Pick<History, 'writes' | 'epochs'>> {
  const read = async <Row>(query: string) => (await queryOnce(url, query)) as unknown as Row[]
  const writes = await read<RowWrite>(
    `with placed as (
       select substr(tag, 7)::bigint as id, max(position) over (partition by epoch, next_xact::text) as position
         from stet.log, unnest(tags) as tag where tag like 'chaos:%'
     )
     select row_key as row, state, (extract(epoch from at) * 1000)::float8 as "atMs", position::int
       from chaos.writes join placed using (id) order by id`,
  )
  const epochs = await read<History['epochs'][number]>(
    'select epoch, max(position)::int as last from stet.log group by epoch order by last',
  )
  return { writes, epochs }
}

const TABLES = ['articles', 'users', 'tags', 'article_tags', 'article_stats']
