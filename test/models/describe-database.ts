import { queryOnce } from '../harness/index.ts'

/** What the engine's tables and the content's are made of, as PostgreSQL tells it: columns, defaults, constraints, indexes, triggers, functions, comments. */
export async function describeDatabase(url: string, content = 'public'): Promise<readonly string[]> {
  const rows = await queryOnce(
    url,
    `with relation as (
       select oid, relname, reloptions, relnamespace::regnamespace::text || '.' || relname as name, relkind from pg_class
        where relnamespace in ('stet'::regnamespace, $1::regnamespace) and relname !~ '^stet_migration'
     ), routine as (
       select * from pg_proc where pronamespace in ('stet'::regnamespace, $1::regnamespace)
     )
     select format('%s column %s %s %s %s%s %s', name, attname, format_type(atttypid, atttypmod), attnotnull,
                   attidentity, attgenerated, pg_get_expr(adbin, adrelid)) as line
       from relation join pg_attribute on attrelid = relation.oid and attnum > 0 and not attisdropped
       left join pg_attrdef on adrelid = attrelid and adnum = attnum where relkind in ('r', 'v')
     union all select format('%s %s %s %s', name, relkind, reloptions, obj_description(oid, 'pg_class')) from relation
     union all select format('%s comment %s %s', name, objsubid, description) from relation join pg_description on objoid = oid and objsubid > 0
     union all select format('%s constraint %s %s', name, conname, pg_get_constraintdef(pg_constraint.oid)) from relation join pg_constraint on conrelid = relation.oid
     union all select format('%s', pg_get_indexdef(oid)) from relation where relkind = 'i'
     union all select format('%s', pg_get_viewdef(oid)) from relation where relkind = 'v'
     union all select format('%s %s', tgenabled, pg_get_triggerdef(pg_trigger.oid)) from relation join pg_trigger on tgrelid = relation.oid and not tgisinternal
     union all select pg_get_functiondef(oid) from routine`,
    [content],
  )
  // A trigger function's name holds a hash of the schema that its table stood in.
  return rows.map(({ line }) => String(line).replace(/write_[0-9a-f]{8}_/g, 'write_#_')).sort()
}

/** Every row of the content, the log, and what belongs to them. Of epochs, what the first version had. */
export async function readEverything(url: string, content = 'public'): Promise<Readonly<Record<string, unknown>>> {
  const tables = [
    ...['users', 'tags', 'articles', 'article_tags', 'article_stats'].map((table) => `${content}.${table}`),
    ...['pending', 'log', 'epoch', 'applied', 'job'].map((table) => `stet.${table}`),
  ]
  const [everything] = await queryOnce(
    url,
    `select ${tables.map((table, index) => `(select json_agg(t order by t::text) from ${selectable(table)} t) as "${index}"`).join(', ')},
            stet.current_epoch() as epoch, (select to_json(as_of) from stet.as_of) as as_of`,
  )
  const { epoch, as_of, ...rows } = everything ?? {}
  return {
    epoch,
    as_of,
    ...Object.fromEntries(tables.map((table, index) => [table.replace(/^.*\./, ''), rows[index]])),
  }
}

const selectable = (table: string): string => (table === 'stet.epoch' ? `(select id, started_at from ${table})` : table)
