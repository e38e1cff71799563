import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Sees to it that the content's tables stand in `schema`, which the search_path must name. Does nothing if they do.
 *
 * Earlier versions made them in the schema that stood first in the role's search_path. For a role called `stet` that was the
 * engine's own schema: from there everything but the engine moves, and keeps its rows, triggers, indexes, counters and grants.
 *
 * @throws if they stand in any other schema, which somebody chose, or if they cannot be moved
 */
export async function moveContent(db: Kysely<Tables>, schema: string): Promise<void> {
  const { rows } = await sql<{ schema: string }>`
    select nspname as schema from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where relname = 'articles'
       and exists (select from pg_trigger where tgrelid = pg_class.oid and tgname = 'stet_insert')`.execute(db)
  const found = rows.map((row) => row.schema)
  if (found.includes(schema)) return
  if (!found.includes('stet')) {
    const where = found.length > 0 ? `in the schema ${found.join(' and in ')}` : 'in no schema'
    throw new Error(
      `The content's tables stand ${where}, and DATABASE_SCHEMA says ${schema}: set it to where they stand, or move them.`,
    )
  }
  try {
    await sql.raw(MOVE).execute(db)
  } catch (cause) {
    throw new Error(
      `The content's tables can't move from the schema stet to ${schema}: ${(cause as Error).message}. DATABASE_SCHEMA=stet leaves them there.`,
      { cause },
    )
  }
}

/** Also what an API author added beside the content. What is part of a table moves with it. */
const MOVE = `
do $move$
declare
  step text;
begin
  for step in
    select format('alter extension %I', extname) from pg_extension
     where extnamespace = 'stet'::regnamespace and extrelocatable
    union all
    select format('alter table %s', oid::regclass) from pg_class
     where relnamespace = 'stet'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
       and relname not in ('as_of', 'log', 'pending', 'epoch', 'migration', 'applied', 'job')
       and not exists (
         select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid
            and (deptype = 'e' or relkind = 'S' and deptype in ('a', 'i'))
       )
    union all
    select format('alter routine %s', oid::regprocedure) from pg_proc
     where pronamespace = 'stet'::regnamespace and proname !~ '^write_[0-9a-f]{8}_'
       and proname not in ('sequence', 'current_epoch', 'start_epoch', 'microseconds', 'touch', 'prune', 'watch')
       and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
    union all
    select format('alter type %s', pg_type.oid::regtype) from pg_type left join pg_class on pg_class.oid = typrelid
     where typnamespace = 'stet'::regnamespace and (typtype in ('e', 'd') or relkind = 'c')
       and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = pg_type.oid and deptype = 'e')
  loop
    execute format('%s set schema %I', step, current_schema());
  end loop;
end
$move$`
