-- The log of committed changes, and what keeps it: everything invalidation needs of PostgreSQL.
--
--   a statement writes a watched table ─► its trigger appends the tags to stet.pending, in the same transaction
--   after the commit, anyone calls stet.sequence() ─► pending records move to stet.log and get positions 1, 2, 3 …
--   a reader asks stet.as_of, inside the statement that reads its rows ─► the position those rows are read as of
--
-- Positions are handed out after commit, under one lock, so a snapshot that sees position p sees every write logged
-- at or before p. Identity values and transaction ids would not do: neither follows the order of commits.

create schema stet;

create table stet.pending (
  id         bigint generated always as identity primary key,
  tags       text[] not null check (cardinality(tags) > 0 and array_position(tags, null) is null),
  written_at timestamptz not null default clock_timestamp()
);
comment on table stet.pending is 'Changes that are not in the log yet: written with the rows they stand for, moved by stet.sequence().';
-- A queue: rows live for milliseconds, so it must be vacuumed far sooner than the defaults would.
alter table stet.pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table stet.log (
  position   bigint primary key,
  tags       text[] not null,
  written_at timestamptz not null
);
comment on table stet.log is 'The ordered, gapless list of committed changes.';

-- Read inside the very statement that reads the rows: `from stet.as_of left join (…) on true`. A view and not a
-- function, because a view is inlined, and so costs a third of what a function does: `npm run bench -- as-of`.
create view stet.as_of as
  select coalesce(max(position), 0) as position,
         exists (select from stet.pending) as unsettled
    from stet.log;
comment on view stet.as_of is
  'position: every write logged at or before it is visible here. unsettled: so are writes that have no position yet.';

create table stet.epoch (
  id         uuid primary key default gen_random_uuid(),
  started_at timestamptz not null default now()
);
comment on table stet.epoch is 'One row: names the present history of the log. See stet.current_epoch().';
insert into stet.epoch default values;

-- A promoted standby has a new timeline, a restored dump another database: each may hold another past than the one a
-- process remembers, so each is another epoch.
create function stet.current_epoch() returns text language sql stable as $$
  select left(md5(concat_ws('.', epoch.id, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), database.oid)), 12)
    from stet.epoch, pg_database database
   where database.datname = current_database()
$$;

-- Starts another epoch, unless somebody else just did: for whoever finds that the log isn't the one it remembers, and for
-- hand use after a restore. Nothing that was cached before counts any longer.
create function stet.start_epoch(present text) returns void language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtext('stet.sequence'));
  if stet.current_epoch() = present then
    update stet.epoch set id = default, started_at = default;
  end if;
end
$$;

create function stet.microseconds(instant timestamptz) returns bigint language sql immutable as $$
  select (extract(epoch from instant) * 1000000)::bigint
$$;

-- Gives every committed pending record a position. Returns the log's tip, and how many records this call gave theirs.
-- Costs one look at an empty table when there is nothing to do.
--
-- VOLATILE and plpgsql: each statement takes a fresh snapshot, so the one after the lock sees what the lock's previous
-- holder committed. Not so above READ COMMITTED: there it would tell of a log that ends where it ended long ago. Returns one small row, never the records: a client that stops reading must not keep the lock.
create function stet.sequence(out epoch text, out tip bigint, out tip_written_at_us bigint, out sequenced bigint)
language plpgsql volatile as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'stet.sequence() needs READ COMMITTED, and this transaction is %', upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state', hint = 'Call it after the transaction, or set default_transaction_isolation for the role.';
  end if;
  sequenced := 0;
  if exists (select from stet.pending) then
    perform pg_advisory_xact_lock(hashtext('stet.sequence'));
    tip := coalesce((select max(position) from stet.log), 0);
    with moved as (delete from stet.pending returning id, tags, written_at)
    insert into stet.log
      select sequence.tip + row_number() over (order by id), tags, written_at from moved;
    get diagnostics sequenced = row_count;
    if sequenced > 0 then
      -- Here and not in the triggers: NOTIFY makes commits wait for one another, and only sequencers should.
      perform pg_notify('stet', (tip + sequenced)::text);
    end if;
  end if;
  select position, stet.microseconds(written_at) into tip, tip_written_at_us from stet.log order by position desc limit 1;
  tip := coalesce(tip, 0);
  epoch := stet.current_epoch();
end
$$;

-- Appends tags by hand: a manual purge, or a rule of the domain that no single column expresses.
create function stet.touch(variadic tags text[]) returns void language sql volatile as $$
  insert into stet.pending (tags) values (tags)
$$;

-- Deletes the log's beginning, as far as it is beyond both bounds; never the last record (it is the log's tip), and never
-- a record between others: written_at doesn't follow positions. Returns how many went.
create function stet.prune(keep_records bigint, keep_for interval) returns bigint language sql volatile strict as $$
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
--   update           table:<key>; and where one of `columns` changed, table:* and, for each of them, the old and the
--                    new value; and table:<field> for each of `fields` that changed in some row
--   truncate         table
--   over 1,000 rows  table
--   each of them     table:any
--
-- So a list of one author's articles depends on `articles:author_id=7` and falls when a row joins it, leaves it or moves
-- within it; and a new title, with `title` among the fields, touches its row and the lists that are ordered by title.
--
-- `key` is the column that names a row, or null where no entry depends on single rows (a join table).
-- Columns of a continuous type (timestamps, floats) place a row in its lists but have no tags of their own.
-- Tags bear the table's name without its schema: tables of one name in two schemas fall together.
-- Partitions and children are watched too, under the name of `target`, for those who write to them directly. After
-- attaching one, watch again and `select stet.touch('table')`; so too after an ALTER TABLE that changes what rows hold.
create function stet.watch(target regclass, key text, columns text[] default '{}', fields text[] default '{}')
returns void language plpgsql as $watch$
declare
  name      text := (select relname from pg_class where oid = target);
  schema    text := (select relnamespace::regnamespace::text from pg_class where oid = target);
  -- Its own for each table: names of one length too many, or in two schemas, must not share one.
  trigger_function text := format('stet.%I', format('write_%s_%s', left(md5(format('%s.%I', schema, name)), 8), left(name, 40)));
  member    regclass;
  discrete  text[];
  unknown   text;
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
  -- Fails here, and not at the first update, where a column's type (json) cannot be compared.
  execute format('select %s from %s where false', (
    select coalesce(string_agg(format('%1$I is distinct from %1$I', column_name), ', '), '1')
      from unnest(array_remove(array[key], null) || columns || fields) as given(column_name)
  ), target);

  select coalesce(array_agg(attname::text order by attname), '{}') into discrete
    from pg_attribute join pg_type on pg_type.oid = atttypid
   where attrelid = target and attname = any (columns) and typcategory not in ('D', 'T')
     and atttypid not in ('float4'::regtype, 'float8'::regtype);

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
    create or replace function %1$s() returns trigger language plpgsql as $body$
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
      -- Without a key old and new rows cannot be paired: each left its lists and joined them again.
      format('select distinct tag from old_rows o, lateral (values %s) tags(tag) union
              select distinct tag from new_rows n, lateral (values %s) tags(tag)', of_old, of_new)
    else
      -- A row whose key changed has no partner: it is one deleted and one inserted.
      format('select distinct tag from old_rows o full join new_rows n on n.%1$I = o.%1$I, lateral (
                select %2$L || o.%1$I::text where o.%1$I is not null
                union all select tag from (values %3$s) left_lists(tag)
                  where o.%1$I is not null and (n.%1$I is null or %5$s)
                union all select tag from (values %4$s) joined_lists(tag)
                  where n.%1$I is not null and (o.%1$I is null or %5$s)
                %6$s
              ) tags(tag)', key, name || ':', of_old, of_new, moved, changed)
    end, name || ':any');

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
      -- Always: also where somebody sets session_replication_role to write faster.
      alter table %1$s
        enable always trigger stet_insert, enable always trigger stet_update,
        enable always trigger stet_delete, enable always trigger stet_truncate;
    $triggers$, member, trigger_function);
  end loop;
end
$watch$;
