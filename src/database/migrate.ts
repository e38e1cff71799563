import { readdir, readFile } from 'node:fs/promises'
import { CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import { findTriggersOff, installStet, mendTriggers, type SqlClient } from '../invalidation/index.ts'
import { PROJECT } from '../kernel/project.ts'
import { operatorAct, recordAct } from './audit.ts'
import type { Tables } from './tables.ts'
import { addValueChecks, findMissingChecks } from './value-checks.ts'

export interface MigrateOptions {
  /** Where the tables of the content stand, whatever the role's search_path. Created if absent. Default: `public`. */
  readonly schema?: string
  /** Called for each name that is returned, once all is committed. */
  readonly onApply?: (name: string) => void
}

/**
 * Brings a database up to date, all or nothing: the log (`sql/log.sql`), then the content (`migrations/`). Takes a lock, so
 * that ten nodes may start at once. Then mends the triggers that are off, and adds the checks of values that are missing, table by
 * table, if the role owns the tables.
 *
 * A database of any earlier version is taken over with its rows and its log. Nodes of that version may run on, and start
 * again, meanwhile: their own table of migrations stays as it was.
 *
 * @returns the names of what was applied, of the triggers that were mended and of the tables that got checks, in order; none if the database was up to date
 * @throws if the database is not in UTF8. If rows hold values that the checks refuse. All else is done by then, so that the rows can be changed while older nodes run on
 */
export async function migrate(primary: Kysely<Tables>, options: MigrateOptions = {}): Promise<readonly string[]> {
  const { schema = 'public', onApply = () => {} } = options
  const applied = await primary.transaction().execute((db) => apply(db, schema))
  for (const name of applied) onApply(name)
  // HAZARD: never within the transaction: a lock on a table would be held until all of it has committed.
  const mended = (await mendTriggers(clientOf(primary))).map(({ table, trigger }) => `trigger ${table}.${trigger}`)
  for (const name of mended) onApply(name)
  const checked = (await addValueChecks(primary, schema)).map((table) => `checks of ${table}`)
  // New tables have them as a matter of course.
  if (applied.includes('0002_content')) return [...applied, ...mended]
  for (const name of checked) onApply(name)
  return [...applied, ...mended, ...checked]
}

/** Returns what is missing although `migrate` has run: triggers, such as `articles.stet_update (disabled)`, and `checks of articles`. */
export async function findUnmended(primary: Kysely<Tables>, schema = 'public'): Promise<readonly string[]> {
  const off = await findTriggersOff(clientOf(primary))
  const unchecked = await findMissingChecks(primary, schema)
  return [
    ...off.map(({ table, trigger, state }) => `${table}.${trigger} (${state})`),
    ...unchecked.map((table) => `checks of ${table}`),
  ]
}

const clientOf = (db: Kysely<Tables>): SqlClient => ({
  query: (text, values) => db.executeQuery(CompiledQuery.raw(text, values)) as never,
})

async function apply(db: Transaction<Tables>, schema: string): Promise<string[]> {
  await checkEncoding(db)
  await sql`select pg_advisory_xact_lock(${LOCK})`.execute(db)
  const { recorded, earlier } = await readNames(db)
  const applied: string[] = []

  const log = await installStet(clientOf(db))
  if (!recorded.has(log)) applied.push(log)

  await enterSchema(db, schema)
  const migrations = await readMigrations()
  if (migrations.some(([name]) => recorded.has(name) || earlier.has(name))) await moveContent(db, schema)
  for (const [name, text] of migrations) {
    if (recorded.has(name)) continue
    if (!earlier.has(name)) {
      await runMigration(db, name, text)
      applied.push(name)
    }
    await sql`insert into stet.migration (name) values (${name})`.execute(db)
  }
  // Nobody else knows the tables yet.
  if (applied.includes('0002_content')) await mendTriggers(clientOf(db))
  if (applied.length > 0) await recordAct(db, operatorAct('migrate'), applied)
  return applied
}

/**
 * @throws unless the database is in UTF8. In SQL_ASCII a row may hold bytes that are no text, and no statement that meets them returns
 * anything. All others lack letters.
 */
async function checkEncoding(db: Transaction<Tables>): Promise<void> {
  const { rows } = await sql<{ name: string; encoding: string }>`
    select current_database() as name, current_setting('server_encoding') as encoding`.execute(db)
  const [{ name, encoding } = { name: '', encoding: '' }] = rows
  if (encoding === 'UTF8') return
  throw new Error(
    `The database ${name} has the encoding ${encoding}, which can't hold every text: make one with "create database … encoding 'UTF8' template template0", and restore a dump of this one into it.`,
  )
}

async function runMigration(db: Transaction<Tables>, name: string, text: string): Promise<void> {
  try {
    await sql.raw(text).execute(db)
  } catch (cause) {
    throw new Error(`Migration ${name} failed: ${(cause as Error).message}`, { cause })
  }
}

/** Creates the schema if it is absent, and puts it alone in the transaction's search_path. */
async function enterSchema(db: Transaction<Tables>, schema: string): Promise<void> {
  const { rows } = await sql<{
    absent: boolean
  }>`select to_regnamespace(quote_ident(${schema})) is null as absent`.execute(db)
  if (rows[0]?.absent) await sql`create schema ${sql.id(schema)}`.execute(db)
  await sql`select set_config('search_path', quote_ident(${schema}), true)`.execute(db)
}

/**
 * Sees to it that the content's tables stand in `schema`, which the search_path must name. Does nothing if they do.
 *
 * Earlier versions made them in the schema that stood first in the role's search_path. For a role called `stet` that was the
 * engine's own schema: from there everything but the engine moves, and keeps its rows, triggers, indexes, counters and grants.
 *
 * @throws if they stand in any other schema, which somebody chose, or if they cannot be moved
 */
async function moveContent(db: Transaction<Tables>, schema: string): Promise<void> {
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

/** What was applied: as `stet.migration` has it, and as earlier versions kept it, in the schema that stood first in their search_path. */
async function readNames(db: Transaction<Tables>): Promise<{ recorded: Set<string>; earlier: Set<string> }> {
  const { rows: tables } = await sql<{ schema: string; table: string }>`
    select nspname as schema, relname as table from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where relkind = 'r' and (relname = 'stet_migration' or (nspname, relname) = ('stet', 'migration'))`.execute(db)
  const names = { recorded: new Set<string>(), earlier: new Set<string>() }
  for (const { schema, table } of tables) {
    const { rows } = await sql<{ name: string }>`select name from ${sql.id(schema, table)}`.execute(db)
    for (const { name } of rows) names[table === 'migration' ? 'recorded' : 'earlier'].add(name)
  }
  return names
}

/** The files of `migrations/`, in the order of their names. */
async function readMigrations(): Promise<(readonly [name: string, text: string])[]> {
  const folder = new URL('migrations/', PROJECT)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    files.map(async (file) => [file.replace(/\.sql$/, ''), await readFile(new URL(file, folder), 'utf8')] as const),
  )
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
       and relname not in ('as_of', 'log', 'pending', 'epoch', 'migration', 'applied', 'job', 'log_trigger', 'kept_trigger', 'trigger_off')
       and not exists (
         select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid
            and (deptype = 'e' or relkind = 'S' and deptype in ('a', 'i'))
       )
    union all
    select format('alter routine %s', oid::regprocedure) from pg_proc
     where pronamespace = 'stet'::regnamespace and proname !~ '^write_[0-9a-f]{8}_'
       and proname not in (
         'sequence', 'system_identifier', 'here', 'current_epoch', 'start_epoch', 'microseconds', 'touch', 'prune', 'watch', 'keep', 'mend',
         'touch_rewritten'
       )
       and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
    union all
    select format('alter type %s', pg_type.oid::regtype) from pg_type left join pg_class on pg_class.oid = typrelid
     where typnamespace = 'stet'::regnamespace and (typtype in ('e', 'd') or relkind = 'c')
       and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = pg_type.oid and deptype = 'e')
  loop
    execute format('%s set schema %I', step, current_schema());
  end loop;
  -- Functions that were told to look for tables in the schema that these stood in.
  for step in
    select format('alter routine %s set search_path = %I, pg_temp', oid::regprocedure, current_schema()) from pg_proc
     where pronamespace = to_regnamespace(quote_ident(current_schema()))
       and exists (select from unnest(proconfig) as setting where setting ~ '^search_path=stet\\y')
  loop
    execute step;
  end loop;
  -- What says which triggers must be on. A trigger function is named after its table and the schema of that.
  for step in
    select distinct format('alter function %s() rename to %I', function, name)
      from stet.log_trigger join pg_class on pg_class.oid = watched,
           format('write_%s_%s', left(md5(format('%I.%I', current_schema(), relname)), 8), left(relname, 40)) as name
     where relnamespace = to_regnamespace(quote_ident(current_schema())) and function::text <> format('stet.%I', name)
  loop
    execute step;
  end loop;
  update stet.kept_trigger
     set target = regexp_replace(target, '^stet\\.', format('%I.', current_schema())),
         definition = replace(definition, ' stet.', format(' %I.', current_schema()));
end
$move$`

/** Kysely's, under which earlier versions migrate. */
const LOCK = '3853314791062309107'
