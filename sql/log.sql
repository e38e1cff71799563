-- The log of committed changes, as it is now: everything that invalidation needs of PostgreSQL.
--
--   a statement writes a watched table ─► its trigger appends the tags to stet.pending, in the same transaction
--   after the commit, anyone calls stet.sequence() ─► pending records move to stet.log and get positions 1, 2, 3 …
--   a reader reads stet.as_of, in the statement that reads its rows ─► the position those rows are read as of
--
-- Positions are handed out after the commit, under one lock. So a snapshot that sees position p sees every write logged at
-- or before p. Identity values and transaction ids would not do: neither follows the order of commits.
--
-- This file is applied once, as a whole, in one transaction, to every database that has not had exactly this text: to an
-- empty one, and to one that any earlier version made. stet.migration remembers its fingerprint. So each statement must
-- do no harm when it is repeated, and must suit nodes of the version before, which run on for a while.
-- HAZARD: a text that was applied once is never applied again, so that an old node cannot undo what a newer one brought.
-- If you take a change back, make the text differ from the one before the change: by a comment, say.

do $$
begin
  -- `create schema if not exists` wants the right to create schemas even if there is nothing to create.
  if to_regnamespace('stet') is null then
    create schema stet;
  end if;
end
$$;

create table if not exists stet.migration (
  name       text primary key,
  applied_at timestamptz not null default now()
);
comment on table stet.migration is 'What was applied: the migrations of the content, and each text of sql/log.sql by its fingerprint.';

-- Names the cluster of servers, also to roles that may not ask for that themselves: all must get the same answer.
create or replace function stet.system_identifier() returns text language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if has_function_privilege('pg_control_system()', 'execute') then
    return (select system_identifier from pg_control_system());
  end if;
  return 'unknown';
end
$$;

-- Where the log stands: the cluster, and the table of epochs in it. A dump is restored into another cluster, or into a table that
-- is made anew. The cluster stays the same for as long as a session lasts, so it is asked once: that takes longer than the rest
-- of stet.sequence().
create or replace function stet.here() returns text language plpgsql stable as $$
declare
  system text := current_setting('stet.system_identifier', true);
begin
  if coalesce(system, '') = '' then
    system := set_config('stet.system_identifier', stet.system_identifier(), false);
  end if;
  return system || '.' || 'stet.epoch'::regclass::oid;
end
$$;

create table if not exists stet.epoch (
  id         uuid primary key default gen_random_uuid(),
  started_at timestamptz not null default now(),
  home       text not null default stet.here()
);
comment on table stet.epoch is 'One row: names the present history of the log. See stet.current_epoch().';
-- Looks first: `alter table` would wait for every transaction that reads it, and keep all others waiting meanwhile.
do $$
begin
  if not exists (select from pg_attribute where attrelid = 'stet.epoch'::regclass and attname = 'home') then
    alter table stet.epoch add column home text not null default stet.here();
  end if;
end
$$;
comment on column stet.epoch.home is 'Where the epoch began. Elsewhere it is another: see stet.here().';
insert into stet.epoch (id) select gen_random_uuid() where not exists (select from stet.epoch);

-- A promoted standby has a new timeline. A restored dump is another database, or stands in another cluster, or in tables that
-- were made anew. Each may hold another past than the one a process remembers, so each is another epoch. In plpgsql, which
-- keeps the plan: SQL is planned at every call.
create or replace function stet.current_epoch() returns text language plpgsql stable as $$
declare
  here text := stet.here();
begin
  return (
    select left(md5(concat_ws(
             '.', epoch.id, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), database.oid, nullif(here, epoch.home)
           )), 12)
      -- HAZARD: by an index, since stet.sequence() forbids anything else. Otherwise the plan counts as so dear that PostgreSQL
      -- compiles it (JIT), anew at each call.
      from (select id, home from stet.epoch order by id limit 1) epoch, pg_database database
     where database.datname = current_database()
  );
end
$$;

create table if not exists stet.pending (
  id         bigint generated always as identity,
  tags       text[] not null check (cardinality(tags) > 0 and array_position(tags, null) is null),
  written_at timestamptz not null default clock_timestamp(),
  xact       xid8 not null default pg_current_xact_id(),
  primary key (xact, id)
);

-- The defaults are for records that are appended by hand.
create table if not exists stet.log (
  position   bigint primary key,
  tags       text[] not null,
  written_at timestamptz not null,
  epoch      text not null default stet.current_epoch(),
  next_xact  xid8 not null default '0',
  open_xacts xid8[] not null default '{}'
);

-- Brings tables of earlier versions up to date. Looks first: `alter table` would wait for every transaction that writes,
-- and keep all others waiting meanwhile.
do $$
declare
  log_columns text[] := array(select attname::text from pg_attribute where attrelid = 'stet.log'::regclass);
begin
  if not 'epoch' = any(log_columns) then
    alter table stet.log add column epoch text not null default stet.current_epoch();
  end if;
  if not 'next_xact' = any(log_columns) then
    alter table stet.log
      add column next_xact xid8 not null default '0',
      add column open_xacts xid8[] not null default '{}';
    alter table stet.pending
      add column xact xid8 not null default pg_current_xact_id(),
      drop constraint pending_pkey,
      add primary key (xact, id);
  end if;
  -- It cannot be replaced by one that returns more.
  if exists (select from pg_proc where oid = to_regprocedure('stet.sequence()') and not 'records' = any(proargnames)) then
    drop function stet.sequence();
  end if;
end
$$;

comment on table stet.pending is 'Changes that are not in the log yet: written with the rows they stand for, moved by stet.sequence().';
comment on column stet.pending.xact is 'The transaction that wrote it.';
comment on table stet.log is 'The ordered, gapless list of committed changes.';
comment on column stet.log.epoch is 'The history that the record belongs to: a standby that follows a lost one tells so by what is read from it.';
comment on column stet.log.next_xact is 'Transactions from this one on had not begun when the record was appended.';
comment on column stet.log.open_xacts is 'Transactions before it that had not ended.';
-- A queue: its rows live for milliseconds, so it must be vacuumed far sooner than the defaults would.
alter table stet.pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Read in the very statement that reads the rows: `from stet.as_of left join (…) on true`. A view and not a function:
-- a view is inlined, and costs a third of what a function does (`npm run bench -- as-of`).
--
-- While some transaction stays open for long, the vacuum leaves what was moved out of stet.pending. To look for pending
-- records would then mean to read all of it. So each record of the log says which transactions had not ended when it was
-- appended: if the record is visible, what is pending was written by those, or by later ones. An index finds them.
create or replace view stet.as_of as
  select coalesce(last.position, 0) as position,
         -- Ordered, so that the planner uses the index even if it takes the table for small.
         (select xact from stet.pending where xact >= coalesce(last.next_xact, '0') order by xact limit 1) is not null
           or (select xact from stet.pending where xact = any(last.open_xacts) order by xact limit 1) is not null as unsettled,
         last.epoch
    from (select) one
    left join lateral (select position, epoch, next_xact, open_xacts from stet.log order by position desc limit 1) last on true;
comment on view stet.as_of is
  'position: every write logged at or before it is visible here. unsettled: so are writes that have no position yet. epoch: the history that the position belongs to; null while the log is empty.';

-- Begins another epoch, unless the present one is no longer `present`: for a process that finds that the log isn't the one it
-- remembers, and for use by hand after a restore. Nothing that was cached before stands any longer.
create or replace function stet.start_epoch(present text) returns void language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtext('stet.sequence'));
  if stet.current_epoch() = present then
    update stet.epoch set id = default, started_at = default;
  end if;
end
$$;

create or replace function stet.microseconds(instant timestamptz) returns bigint language sql immutable as $$
  select (extract(epoch from instant) * 1000000)::bigint
$$;

-- Gives every committed pending record a position. Costs a look at two ends of an index if there is nothing to do.
--
--   epoch, tip, tip_written_at_us   the present history, the log's last position, and when that record was written. At some
--                                   moment nothing was pending, and this position was the last one, if `sequenced` says that
--                                   all got theirs
--   sequenced                       how many records this call appended: 100,000 and one at most, so that no burst takes
--                                   longer than a statement may. Call it again while it appends as many
--   records                         those, after the one before them, as [position, tags, microseconds]. Null if they are
--                                   more than 20, or long: a client that stops reading must not keep the lock
--
-- If the log's last record is of another epoch than the present one, it first appends a record that begins the epoch. From
-- then on what is read as of the log's end belongs to the present history.
--
-- VOLATILE and plpgsql: each statement takes a fresh snapshot, so the one after the lock sees what the lock's previous
-- holder committed. Above READ COMMITTED it would not, and would tell of a log that ended long ago.
-- enable_seqscan: plans are kept, and may have been made when the table was small.
create or replace function stet.sequence(out epoch text, out tip bigint, out tip_written_at_us bigint, out sequenced bigint, out records json)
language plpgsql volatile set enable_seqscan = off as $$
declare
  last stet.log;
  now_open pg_snapshot;
  batch tid[];
  before bigint;
  appended bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'stet.sequence() needs READ COMMITTED, and this transaction is %', upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state', hint = 'Call it after the transaction, or set default_transaction_isolation for the role.';
  end if;
  epoch := stet.current_epoch();
  sequenced := 0;
  now_open := pg_current_snapshot();
  select * into last from stet.log order by position desc limit 1;
  tip := coalesce(last.position, 0);
  tip_written_at_us := stet.microseconds(last.written_at);
  if last.epoch <> epoch or last.next_xact > pg_snapshot_xmax(now_open)
    or exists (select from stet.pending where xact >= coalesce(last.next_xact, '0'))
    or exists (select from stet.pending where xact = any(last.open_xacts))
    -- In the same snapshot: a position is a moment of the database only if nothing was pending when it was the last one.
    or exists (select from stet.log where position > coalesce(last.position, 0))
  then
    -- A caller that stays idle in its transaction must not keep the lock from everybody.
    if current_setting('idle_in_transaction_session_timeout') = '0' then
      perform set_config('idle_in_transaction_session_timeout', '10s', true);
    end if;
    perform pg_advisory_xact_lock(hashtext('stet.sequence'));
    -- Others may have appended, or begun an epoch, before the lock was ours.
    epoch := stet.current_epoch();
    now_open := pg_current_snapshot();
    select * into last from stet.log order by position desc limit 1;
    tip := coalesce(last.position, 0);
    before := tip;
    -- The second condition: a dump was restored where transactions are numbered otherwise, and the epoch doesn't tell.
    if last.epoch <> epoch or last.next_xact > pg_snapshot_xmax(now_open) then
      tip := tip + 1;
      sequenced := 1;
      insert into stet.log values (tip, array['stet:epoch'], clock_timestamp(), sequence.epoch) returning * into last;
    end if;
    -- From here on, what had ended by `now_open` is visible, and is moved. If a batch cannot hold it all, the next record
    -- repeats what the last one says of transactions, so that the rest is found.
    batch := array(
      select ctid from stet.pending where xact >= coalesce(last.next_xact, '0')
      union all select ctid from stet.pending where xact = any(last.open_xacts)
      limit 100000
    );
    if cardinality(batch) < 100000 then
      last.next_xact := pg_snapshot_xmax(now_open);
      last.open_xacts := array(select pg_snapshot_xip(now_open));
    end if;
    with moved as (delete from stet.pending where ctid = any(batch) returning id, tags, written_at)
    insert into stet.log
      select sequence.tip + row_number() over (order by id), tags, written_at, sequence.epoch,
             coalesce(last.next_xact, '0'), coalesce(last.open_xacts, '{}')
        from moved;
    get diagnostics appended = row_count;
    sequenced := sequenced + appended;
    tip := tip + appended;
    if sequenced between 1 and 20 then
      records := (
        select json_agg(json_build_array(log.position, log.tags, stet.microseconds(log.written_at)) order by log.position)
          from stet.log where log.position >= before
      );
      if octet_length(records::text) > 4000 then
        records := null;
      end if;
    end if;
    if sequenced > 0 then
      -- Here and not in the triggers: NOTIFY makes commits wait for one another, and only sequencers should wait.
      perform pg_notify('stet', tip::text);
    end if;
    select stet.microseconds(log.written_at) into tip_written_at_us from stet.log where log.position = tip;
  end if;
end
$$;

-- Appends tags by hand: a manual purge, or a rule of the domain that no single column expresses.
create or replace function stet.touch(variadic tags text[]) returns void language sql volatile as $$
  insert into stet.pending (tags) values (tags)
$$;

-- Deletes the log's beginning, as far as it is beyond both bounds. Never the last record, which is the log's tip. Never a
-- record between others, since written_at doesn't follow positions. Returns how many were deleted.
create or replace function stet.prune(keep_records bigint, keep_for interval) returns bigint language sql volatile strict as $$
  with gone as (
    delete from stet.log
     where position <= (select max(position) from stet.log) - greatest(keep_records, 1)
       and position < coalesce(
         (select position from stet.log where written_at >= now() - keep_for order by position limit 1),
         (select max(position) from stet.log)
       )
    returning 1
  )
  select count(*) from gone
$$;

-- Makes every committed change of `target` reach the log, by statement-level triggers:
--
--   insert, delete   table:<key>   table:*   table:<column>=<value> for each of `columns`
--   update           table:<key>. If one of `columns` changed: table:* and, for each of them, the old and the new value.
--                    For each of `fields` that changed in some row: table:<field>
--   truncate         table
--   over 1,000 rows  table
--   each of them     table:any
--
-- So a list of one author's articles depends on `articles:author_id=7`. It falls when a row joins it, leaves it or moves
-- within it. A new title, if `title` is one of the fields, touches its row and the lists that are ordered by title.
--
-- `key` is the column that names a row, or null if no entry depends on single rows (a join table).
-- Columns of a continuous type (timestamps, floats) place a row in its lists, and have no tags of their own.
-- Tags bear the table's name without its schema: tables of one name in two schemas fall together.
-- Partitions and children are watched too, under the name of `target`, for writers that write to them directly.
--
-- Nothing about a writer decides what falls. The trigger function runs with the rights of its owner, so a writer needs none to
-- the log. In its text every operator, function and type names its schema, so the writer's search_path doesn't matter. (A table with
-- types of an extension has a search_path pinned instead. If everybody may create something there, its writers need rights to the log.)
-- The function is also the mark of a table that is watched: to watch it no longer, drop the function with `cascade`.
create or replace function stet.watch(target regclass, key text, columns text[] default '{}', fields text[] default '{}')
returns void language plpgsql as $watch$
declare
  name      text := (select relname from pg_class where oid = target);
  schema    text := (select relnamespace::regnamespace::text from pg_class where oid = target);
  -- Each table has one of its own, also if its name is too long, or stands in two schemas.
  trigger_function text := format('stet.%I', format('write_%s_%s', left(md5(format('%s.%I', schema, name)), 8), left(name, 40)));
  step      text;
  discrete  text[];
  unknown   text;
  pinned    text;  -- the search_path that the trigger function keeps, if it needs one
  rights    text := 'security definer';
  eq        text := 'operator(pg_catalog.=)';
  differs   text;  -- whether a column has another value than before, as SQL with the column as %1$I
  of_old    text;  -- the tags that a row has in lists, as SQL: for rows that were there before the statement
  of_new    text;  -- and for those that are there after it
  moved     text;  -- did the row move in or between lists?
  changed   text;  -- tags of the fields that changed
begin
  if name like '%:%' then
    raise exception 'stet.watch: a colon ends the table''s name in a tag, so table % cannot be watched', target
      using errcode = 'invalid_name';
  end if;
  select string_agg(quote_literal(column_name), ', ') into unknown
    from unnest(array_remove(array[key], null) || columns || fields) as given(column_name)
   where not exists (select from pg_attribute where attrelid = target and attname = column_name and attnum > 0 and not attisdropped);
  if unknown is not null then
    raise exception 'stet.watch: table % has no column %', target, unknown
      using errcode = 'undefined_column';
  end if;
  if exists (select from pg_attribute where attrelid = target and attname = key and not attnotnull) then
    raise exception 'stet.watch: column % of table % may be null, so it cannot name a row', key, target
      using errcode = 'invalid_column_reference';
  end if;
  -- If a column's type (json) cannot be compared, this fails now, and not at the first update.
  execute format('select %s from %s where false', (
    select coalesce(string_agg(format('%1$I is distinct from %1$I', column_name), ', '), '1')
      from unnest(array_remove(array[key], null) || columns || fields) as given(column_name)
  ), target);

  select coalesce(array_agg(attname::text order by attname), '{}') into discrete
    from pg_attribute join pg_type on pg_type.oid = atttypid
   where attrelid = target and attname = any (columns) and typcategory not in ('D', 'T')
     and atttypid not in ('float4'::regtype, 'float8'::regtype);

  -- An extension's types have operators of their own, which must be found where they are found now. Tables without such types do
  -- without a search_path, because it costs their writers time.
  if exists (
    select from pg_attribute join pg_type on pg_type.oid = atttypid
     where attrelid = target and attname = any (array_remove(array[key], null) || columns || fields)
       and typnamespace <> 'pg_catalog'::regnamespace
  ) then
    eq := '=';
    -- pg_temp would be searched first if it weren't named.
    pinned := format('set search_path = %s', (
      select string_agg(quote_ident(nspname), ', ' order by place)
        from unnest(current_schemas(false) || 'pg_temp'::name) with ordinality as searched(nspname, place)
    ));
    -- HAZARD: if everybody may put operators there, the owner's rights would be everybody's.
    if exists (select from unnest(current_schemas(false)) as nspname where has_schema_privilege('public', nspname, 'create')) then
      rights := '';
    end if;
  end if;
  -- `is distinct from` can't name the schema of the operator that it uses.
  differs := format('(o.%%1$I is null) operator(pg_catalog.<>) (n.%%1$I is null) or not (o.%%1$I %s n.%%1$I)', eq);

  select string_agg(format(', (%L operator(pg_catalog.||) coalesce(o.%I::pg_catalog.text, ''null''))', name || ':' || col || '=', col), ''),
         string_agg(format(', (%L operator(pg_catalog.||) coalesce(n.%I::pg_catalog.text, ''null''))', name || ':' || col || '=', col), '')
    into of_old, of_new from unnest(discrete) as col;
  of_old := format('(%L)', name || ':*') || coalesce(of_old, '');
  of_new := format('(%L)', name || ':*') || coalesce(of_new, '');
  if key is not null then
    of_old := of_old || format(', (%L operator(pg_catalog.||) o.%I::pg_catalog.text)', name || ':', key);
    of_new := of_new || format(', (%L operator(pg_catalog.||) n.%I::pg_catalog.text)', name || ':', key);
  end if;
  select coalesce(string_agg(format(differs, col), ' or '), 'false') into moved
    from unnest(columns) as col;
  select coalesce(string_agg(format(' union all select %L where ', name || ':' || field) || format(differs, field), ''), '')
    into changed from unnest(fields) as field;

  execute format($function$
    create or replace function %1$s() returns trigger language plpgsql %8$s %7$s as $body$
    declare
      touched pg_catalog.text[];
    begin
      if tg_op operator(pg_catalog.=) 'TRUNCATE' then
        touched := array[%2$L];
      elsif tg_op operator(pg_catalog.=) 'INSERT' then
        touched := case when (select pg_catalog.count(*) operator(pg_catalog.>) 1000 from (select from new_rows limit 1001) counted) then array[%2$L]
          else array(select distinct tag from new_rows n, lateral (values %3$s) tags(tag)) end;
      elsif tg_op operator(pg_catalog.=) 'DELETE' then
        touched := case when (select pg_catalog.count(*) operator(pg_catalog.>) 1000 from (select from old_rows limit 1001) counted) then array[%2$L]
          else array(select distinct tag from old_rows o, lateral (values %4$s) tags(tag)) end;
      else
        touched := case when (select pg_catalog.count(*) operator(pg_catalog.>) 1000 from (select from new_rows limit 1001) counted) then array[%2$L]
          else array(%5$s) end;
      end if;
      if pg_catalog.cardinality(touched) operator(pg_catalog.>) 0 then
        insert into stet.pending (tags) values (pg_catalog.array_append(touched, %6$L));
      end if;
      return null;
    end
    $body$
  $function$, trigger_function, name, of_new, of_old,
    case when key is null then
      -- Without a key, old and new rows cannot be paired: each left its lists and joined them again.
      format('select distinct tag from old_rows o, lateral (values %s) tags(tag) union
              select distinct tag from new_rows n, lateral (values %s) tags(tag)', of_old, of_new)
    else
      -- A row whose key changed has no partner: it counts as one deleted and one inserted.
      format('select distinct tag from old_rows o full join new_rows n on n.%1$I %7$s o.%1$I, lateral (
                select %2$L operator(pg_catalog.||) o.%1$I::pg_catalog.text where o.%1$I is not null
                union all select tag from (values %3$s) left_lists(tag)
                  where o.%1$I is not null and (n.%1$I is null or %5$s)
                union all select tag from (values %4$s) joined_lists(tag)
                  where n.%1$I is not null and (o.%1$I is null or %5$s)
                %6$s
              ) tags(tag)', key, name || ':', of_old, of_new, moved, changed, eq)
    end, name || ':any', pinned, rights);
  -- It is the triggers' alone: nobody else may put it on a table of theirs.
  execute format('revoke execute on function %s() from public', trigger_function);

  -- Others stay as they are, because replacing one waits for every writer. What is off is left to stet.mend().
  for step in select mend from stet.log_trigger as needed where needed.watched = watch.target and state in ('absent', 'altered') loop
    execute step;
  end loop;
end
$watch$;

-- Each trigger that the log needs: four on every table that is watched, and on its partitions and children.
--
--   state   'on'; or what is wrong: 'absent', 'altered' (it calls another function), 'disabled', 'not always'
--   mend    SQL that puts it right
create or replace view stet.log_trigger as
  with recursive mark as (
    -- The function that is named after a table; otherwise the one that its triggers call, for a table that was moved since.
    select pg_class.oid as id, pg_proc.oid as function, 1 as rank
      from pg_class join pg_proc on pronamespace = 'stet'::regnamespace
       and proname = format('write_%s_%s', left(md5(format('%s.%I', relnamespace::regnamespace, relname)), 8), left(relname, 40))::name
     where relkind in ('r', 'p')
    union all
    select tgrelid, tgfoid, 2 from pg_trigger join pg_proc on pg_proc.oid = tgfoid
     where pronamespace = 'stet'::regnamespace and proname ~ '^write_[0-9a-f]{8}_'
  ), marked as (
    select distinct on (id) id, function from mark order by id, rank, function
  ), family as (
    select id as watched, id, function from marked
     where not exists (
       select from pg_inherits join marked parent on parent.id = inhparent
        where inhrelid = marked.id and parent.function = marked.function
     )
    union
    select watched, inhrelid, function from pg_inherits join family on inhparent = id join pg_class on pg_class.oid = inhrelid
     where relkind in ('r', 'p')
  )
  select watched::regclass, id::regclass as target, name as trigger, function::regproc, found.state,
         case when found.state in ('absent', 'altered') then
           format('create or replace trigger %s %s for each statement execute function %s(); ',
             name, format(definition, id::regclass), function::regproc) else '' end
         || format('alter table %s enable always trigger %s', id::regclass, name) as mend
    from family
    cross join (values
      ('stet_insert', 'after insert on %s referencing new table as new_rows'),
      ('stet_update', 'after update on %s referencing old table as old_rows new table as new_rows'),
      ('stet_delete', 'after delete on %s referencing old table as old_rows'),
      ('stet_truncate', 'after truncate on %s')
    ) as needed(name, definition)
    left join pg_trigger on tgrelid = id and tgname = name
    cross join lateral (select case
      when tgname is null then 'absent' when tgfoid <> function then 'altered'
      when tgenabled = 'A' then 'on' when tgenabled = 'D' then 'disabled' else 'not always' end
    ) as found(state);
comment on view stet.log_trigger is 'Each trigger that the log needs, whether it is on, and the SQL that puts it right.';

-- Triggers of the content that must never be off either: see stet.keep().
create table if not exists stet.kept_trigger (
  target     text not null,
  name       text not null,
  definition text not null,
  tags       text[] not null,
  missed     text,
  primary key (target, name)
);
comment on table stet.kept_trigger is 'Triggers beside those of stet.watch() that must never be off. See stet.keep().';

-- Each trigger that must be on, and is not: what is written meanwhile isn't in the log, or leaves the content wrong. Empty if all is well.
--
--   tags     what was read meanwhile, and must fall
--   missed   SQL that does what the trigger should have done meanwhile, if that can be done
create or replace view stet.trigger_off as
  select target, trigger, state, mend, array[relname::text] as tags, null as missed
    -- A table that is watched by itself and as a child has the triggers of one of the two.
    from (select *, bool_or(state = 'on') over (partition by target, trigger) as is_on from stet.log_trigger) as log_trigger
    join pg_class on pg_class.oid = watched
   where not is_on
  union all
  select pg_class.oid::regclass, kept.name, found.state,
         case when found.state = 'absent' then regexp_replace(definition, '^CREATE TRIGGER', 'create or replace trigger') || '; ' else '' end
         || format('alter table %s enable always trigger %I', pg_class.oid::regclass, kept.name),
         tags, missed
    from stet.kept_trigger kept
    join pg_namespace on true
    join pg_class on relnamespace = pg_namespace.oid and format('%I.%I', nspname, relname) = kept.target
    left join pg_trigger on tgrelid = pg_class.oid and tgname = kept.name
    cross join lateral (select case
      when tgname is null then 'absent' when tgenabled = 'A' then 'on' when tgenabled = 'D' then 'disabled' else 'not always' end
    ) as found(state)
   where found.state <> 'on';
comment on view stet.trigger_off is 'Each trigger that must be on, and is not. select stet.mend(target) puts those of a table right.';
-- It tells only what every role may read in the catalogue.
grant select on stet.trigger_off to public;

-- Has a trigger looked at, and mended, as those of stet.watch() are. Does not change the trigger, and locks no table.
--
--   tags     what must fall if it was off: its own table, and what the trigger writes
--   missed   SQL that does what it should have done meanwhile. It is run in the schema of the table
--   made     a `CREATE TRIGGER` that names all schemas, if there is no such trigger yet: stet.mend() makes it
create or replace function stet.keep(target regclass, trigger text, tags text[], missed text default null, made text default null)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  definition text := coalesce(
    (select pg_get_triggerdef(oid) from pg_trigger where tgrelid = target and tgname = trigger and not tgisinternal), made
  );
begin
  if definition is null then
    raise exception 'stet.keep: table % has no trigger %', target, trigger using errcode = 'undefined_object';
  end if;
  insert into stet.kept_trigger values (target::text, trigger, definition, tags, missed)
    on conflict on constraint kept_trigger_pkey
    do update set definition = excluded.definition, tags = excluded.tags, missed = excluded.missed;
end
$$;

-- Puts right the triggers of a table that are off, and lets everything fall that may have been read wrongly meanwhile. Returns the
-- triggers that were off. For the owner of the table. Waits for its writers for 100 ms at most, because all others wait behind: then
-- it fails with lock_not_available, and can be called again.
--
-- All is one transaction, so no process can die between the parts. Whoever wrote while a trigger was off has ended before the lock
-- is given. The record's position comes after the commit, so what is read as of that position sees all of them.
create or replace function stet.mend(target regclass) returns setof text
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  off    stet.trigger_off;
  fallen text[] := '{}';
  missed text[] := '{}';
  step   text;
begin
  execute format('lock table only %s in share row exclusive mode', target);
  for off in select * from stet.trigger_off as found where found.target = mend.target loop
    execute off.mend;
    fallen := fallen || off.tags;
    missed := missed || off.missed;
    return next off.trigger;
  end loop;
  perform set_config('search_path', format('%s, pg_temp', relnamespace::regnamespace), true) from pg_class where oid = target;
  for step in select distinct given from unnest(missed) as given where given is not null loop
    execute step;
  end loop;
  if cardinality(fallen) > 0 then
    perform stet.touch(variadic array(select distinct tag from unnest(fallen) as tag order by tag));
  end if;
end
$$;

-- An `alter table … type … using` changes what rows hold, and fires no trigger. Only a superuser may have an event trigger, so
-- otherwise whoever alters a table so runs `select stet.touch('table')` in the same transaction.
create or replace function stet.touch_rewritten() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- A migration may rewrite a table that never held a row.
  if pg_relation_size(pg_event_trigger_table_rewrite_oid()) > 0 then
    insert into stet.pending (tags)
      select distinct array[relname::text] from stet.log_trigger join pg_class on pg_class.oid = watched
       where target = pg_event_trigger_table_rewrite_oid();
  end if;
end
$$;

do $$
begin
  if not exists (select from pg_event_trigger where evtname = 'stet_rewritten') then
    create event trigger stet_rewritten on table_rewrite execute function stet.touch_rewritten();
    alter event trigger stet_rewritten enable always;
  end if;
exception when insufficient_privilege then
  null;
end
$$;
