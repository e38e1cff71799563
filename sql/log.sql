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

create table if not exists stet.epoch (
  id         uuid primary key default gen_random_uuid(),
  started_at timestamptz not null default now()
);
comment on table stet.epoch is 'One row: names the present history of the log. See stet.current_epoch().';
insert into stet.epoch (id) select gen_random_uuid() where not exists (select from stet.epoch);

-- A promoted standby has a new timeline, a restored dump is another database. Each may hold another past than the one a
-- process remembers, so each is another epoch. In plpgsql, which keeps the plan: SQL is planned at every call.
create or replace function stet.current_epoch() returns text language plpgsql stable as $$
begin
  return (
    select left(md5(concat_ws('.', epoch.id, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), database.oid)), 12)
      from stet.epoch, pg_database database
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
-- Partitions and children are watched too, under the name of `target`, for writers that write to them directly. After you
-- attach one, watch again and `select stet.touch('table')`. Do the same after an ALTER TABLE that changes what rows hold.
create or replace function stet.watch(target regclass, key text, columns text[] default '{}', fields text[] default '{}')
returns void language plpgsql as $watch$
declare
  name      text := (select relname from pg_class where oid = target);
  schema    text := (select relnamespace::regnamespace::text from pg_class where oid = target);
  -- Each table has one of its own, also if its name is too long, or stands in two schemas.
  trigger_function text := format('stet.%I', format('write_%s_%s', left(md5(format('%s.%I', schema, name)), 8), left(name, 40)));
  member    regclass;
  discrete  text[];
  unknown   text;
  pinned    text;  -- the search_path that the trigger function keeps, if it needs one
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

  -- The trigger runs with the writer's search_path. It must find the operators of an extension's types where they are found now.
  -- Tables without such types do without, because it costs their writers time.
  select case when bool_or(typnamespace <> 'pg_catalog'::regnamespace) then 'set search_path from current' else '' end into pinned
    from pg_attribute join pg_type on pg_type.oid = atttypid
   where attrelid = target and attname = any (array_remove(array[key], null) || columns || fields);

  select string_agg(format(', (%L || coalesce(o.%I::text, ''null''))', name || ':' || col || '=', col), ''),
         string_agg(format(', (%L || coalesce(n.%I::text, ''null''))', name || ':' || col || '=', col), '')
    into of_old, of_new from unnest(discrete) as col;
  of_old := format('(%L)', name || ':*') || coalesce(of_old, '');
  of_new := format('(%L)', name || ':*') || coalesce(of_new, '');
  if key is not null then
    of_old := of_old || format(', (%L || o.%I::text)', name || ':', key);
    of_new := of_new || format(', (%L || n.%I::text)', name || ':', key);
  end if;
  select coalesce(string_agg(format('o.%1$I is distinct from n.%1$I', col), ' or '), 'false') into moved
    from unnest(columns) as col;
  select coalesce(string_agg(format(' union all select %L where o.%2$I is distinct from n.%2$I', name || ':' || field, field), ''), '')
    into changed from unnest(fields) as field;

  execute format($function$
    create or replace function %1$s() returns trigger language plpgsql %7$s as $body$
    declare touched text[];
    begin
      if tg_op = 'TRUNCATE' then
        touched := array[%2$L];
      elsif tg_op = 'INSERT' then
        touched := case when (select count(*) > 1000 from (select from new_rows limit 1001) counted) then array[%2$L]
          else array(select distinct tag from new_rows n, lateral (values %3$s) tags(tag)) end;
      elsif tg_op = 'DELETE' then
        touched := case when (select count(*) > 1000 from (select from old_rows limit 1001) counted) then array[%2$L]
          else array(select distinct tag from old_rows o, lateral (values %4$s) tags(tag)) end;
      else
        touched := case when (select count(*) > 1000 from (select from new_rows limit 1001) counted) then array[%2$L]
          else array(%5$s) end;
      end if;
      if cardinality(touched) > 0 then
        insert into stet.pending (tags) values (touched || %6$L::text);
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
      format('select distinct tag from old_rows o full join new_rows n on n.%1$I = o.%1$I, lateral (
                select %2$L || o.%1$I::text where o.%1$I is not null
                union all select tag from (values %3$s) left_lists(tag)
                  where o.%1$I is not null and (n.%1$I is null or %5$s)
                union all select tag from (values %4$s) joined_lists(tag)
                  where n.%1$I is not null and (o.%1$I is null or %5$s)
                %6$s
              ) tags(tag)', key, name || ':', of_old, of_new, moved, changed)
    end, name || ':any', pinned);

  for member in
    with recursive family(id) as (
      select target::oid union select inhrelid from pg_inherits join family on inhparent = id
    )
    select id::regclass from family
  loop
    execute format($triggers$
      create or replace trigger stet_insert after insert on %1$s referencing new table as new_rows
        for each statement execute function %2$s();
      create or replace trigger stet_update after update on %1$s referencing old table as old_rows new table as new_rows
        for each statement execute function %2$s();
      create or replace trigger stet_delete after delete on %1$s referencing old table as old_rows
        for each statement execute function %2$s();
      create or replace trigger stet_truncate after truncate on %1$s
        for each statement execute function %2$s();
      -- Also if a writer sets session_replication_role to write faster.
      alter table %1$s
        enable always trigger stet_insert, enable always trigger stet_update,
        enable always trigger stet_delete, enable always trigger stet_truncate;
    $triggers$, member, trigger_function);
  end loop;
end
$watch$;
