import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { FIRST_YEAR, LAST_YEAR, MAX_COUNT, MAX_ID } from '../kernel/ranges.ts'
import type { Tables } from './tables.ts'

/** A check constraint, named after its table and its column: `users_id_range`. */
interface ValueCheck {
  readonly table: keyof Tables
  readonly column: string
  /** True for the values that the column may hold. */
  readonly condition: string
}

/** Every column whose type holds more than the layers above can say. */
const CHECKS: readonly ValueCheck[] = [
  ...all('users', isId, 'id'),
  ...all('users', isInstant, 'created_at'),
  ...all('tags', isId, 'id'),
  ...all('articles', isId, 'id', 'author_id'),
  ...all('articles', isInstant, 'published_at', 'created_at', 'updated_at'),
  ...all('article_tags', isId, 'article_id', 'tag_id'),
  ...all('article_stats', isId, 'article_id'),
  ...all('article_stats', isCount, 'views', 'ranked_views'),
  ...all('audit', isId, 'id'),
  ...all('audit', isInstant, 'at'),
]

/**
 * Adds the checks that the content's tables lack, each table in a transaction of its own. Locks no table if none is missing. Call it outside of a
 * transaction.
 *
 * HAZARD: `alter table` waits for every transaction that has used the table, and all others wait behind it. So it waits for 100 ms at a
 * time, and tries again for two seconds in all. Rows are looked at afterwards, while others write.
 *
 * @returns the tables that got checks. `findMissingChecks` returns those that were in use all the while, or that the role does not own
 * @throws if rows hold values that a check refuses, and names them. No check is added then
 */
export async function addValueChecks(db: Kysely<Tables>, schema: string): Promise<readonly string[]> {
  const changed = new Set<string>()
  const startedAtMs = performance.now()
  for (;;) {
    const due = (await findDue(db, schema)).filter(({ isOwn }) => isOwn)
    const absent = due.filter(({ isPresent }) => !isPresent)
    await refuseOddRows(db, schema, absent)
    for (const table of new Set(absent.map((check) => check.table))) {
      const actions = absent.filter((check) => check.table === table).map(addition)
      if (await isAltered(db, sql.id(schema, table), actions, ADD_LOCK_TIMEOUT)) changed.add(table)
    }
    const toValidate = (await findDue(db, schema)).filter(({ isOwn, isPresent }) => isOwn && isPresent)
    for (const check of toValidate) await validate(db, schema, check)
    if (due.length === 0 || performance.now() - startedAtMs > PATIENCE_MS) return [...changed]
    if (due.length > toValidate.length) await sleep(PAUSE_MS)
  }
}

/** The tables that lack a check, or that have one which was never made sure of. */
export async function findMissingChecks(db: Kysely<Tables>, schema: string): Promise<readonly string[]> {
  return [...new Set((await findDue(db, schema)).map(({ table }) => table))]
}

interface DueCheck extends ValueCheck {
  /** It holds for new rows, and was not made sure of for the others. */
  readonly isPresent: boolean
  /** The role may change the table. */
  readonly isOwn: boolean
}

/** Reads the catalogue alone, which every role may. */
async function findDue(db: Kysely<Tables>, schema: string): Promise<readonly DueCheck[]> {
  const { rows } = await sql<{ number: number; isPresent: boolean; isOwn: boolean }>`
    select number::int, conname is not null as "isPresent", pg_has_role(relowner, 'usage') as "isOwn"
      from unnest(${CHECKS.map(({ table }) => table)}::text[], ${CHECKS.map(nameOf)}::text[])
             with ordinality as wanted ("table", name, number)
      join pg_class on relname = wanted."table" and relkind in ('r', 'p')
      join pg_namespace on pg_namespace.oid = relnamespace and nspname = ${schema}
      left join pg_constraint on conrelid = pg_class.oid and conname = wanted.name
     where convalidated is not true
     order by number`.execute(db)
  return rows.flatMap(({ number, ...found }) => {
    const check = CHECKS[number - 1]
    return check ? [{ ...check, ...found }] : []
  })
}

async function validate(db: Kysely<Tables>, schema: string, check: DueCheck): Promise<void> {
  const action = sql`validate constraint ${sql.id(nameOf(check))}`
  try {
    await isAltered(db, sql.id(schema, check.table), [action], VALIDATE_LOCK_TIMEOUT)
  } catch (error) {
    // Such a row was written since the rows were looked at.
    await refuseOddRows(db, schema, [check])
    throw error
  }
}

/** False if the table is in use, or if another process has just done the same. */
async function isAltered(
  db: Kysely<Tables>,
  table: RawBuilder<unknown>,
  actions: readonly RawBuilder<unknown>[],
  lockTimeout: string,
): Promise<boolean> {
  try {
    await db.transaction().execute(async (transaction) => {
      await sql`select set_config('lock_timeout', ${lockTimeout}, true)`.execute(transaction)
      await sql`alter table ${table} ${sql.join(actions)}`.execute(transaction)
    })
    return true
  } catch (error) {
    if (BUSY.includes(String((error as { readonly code?: unknown }).code))) return false
    throw error
  }
}

const addition = (check: ValueCheck): RawBuilder<unknown> =>
  sql`add constraint ${sql.id(nameOf(check))} check (${sql.raw(check.condition)}) not valid`

async function refuseOddRows(db: Kysely<Tables>, schema: string, checks: readonly ValueCheck[]): Promise<void> {
  const odd: string[] = []
  for (const { table, column, condition } of checks) {
    const key = sql.join((KEYS[table] ?? ['id']).map((name) => sql`${sql.ref(name)}::text`))
    const { rows } = await sql<{ row: string; value: string }>`
      select concat_ws('/', ${key}) as row, ${sql.ref(column)}::text as value
        from ${sql.id(schema, table)} where not (${sql.raw(condition)}) limit ${sql.lit(MAX_NAMED)}`.execute(db)
    for (const { row, value } of rows) odd.push(`${table} ${row}: ${column} is ${value}`)
  }
  if (odd.length === 0) return
  const more = odd.length > MAX_NAMED ? '; and more' : ''
  throw new Error(
    `Rows hold values that no answer can say. Nothing was changed in them; change them yourself, then migrate again. ${odd.slice(0, MAX_NAMED).join('; ')}${more}. ${RULE}`,
  )
}

const RULE = `Ids are 1 to ${MAX_ID}, counters 0 to ${MAX_COUNT}, dates of the years ${FIRST_YEAR} to ${LAST_YEAR}.`

/** The columns that name a row, unless it has an `id`. */
const KEYS: Readonly<Partial<Record<keyof Tables, readonly string[]>>> = {
  article_tags: ['article_id', 'tag_id'],
  article_stats: ['article_id'],
}

const nameOf = ({ table, column }: ValueCheck): string => `${table}_${column}_range`

function all(table: keyof Tables, condition: (column: string) => string, ...columns: string[]): ValueCheck[] {
  return columns.map((column) => ({ table, column, condition: condition(column) }))
}

function isId(column: string): string {
  return `${column} between 1 and ${MAX_ID}`
}

function isCount(column: string): string {
  return `${column} between 0 and ${MAX_COUNT}`
}

/** Also refuses `infinity`, which is later than all others, and `-infinity`. */
function isInstant(column: string): string {
  const first = `${String(FIRST_YEAR).padStart(4, '0')}-01-01 00:00:00+00`
  return `${column} >= timestamptz '${first}' and ${column} < timestamptz '${LAST_YEAR + 1}-01-01 00:00:00+00'`
}

const MAX_NAMED = 20
const PATIENCE_MS = 2000
const PAUSE_MS = 100
const ADD_LOCK_TIMEOUT = '100ms'
/** Longer, because neither readers nor writers wait behind it. */
const VALIDATE_LOCK_TIMEOUT = '5s'
/** Lock not available, deadlock detected, duplicate object. */
const BUSY: readonly string[] = ['55P03', '40P01', '42710']
