-- A writer waits for its change's position, and then needs the record: where those are few, stet.sequence() tells them at once.

-- In plpgsql, since its plans are kept. A function in SQL is planned whenever another one calls it.
create or replace function stet.current_epoch() returns text language plpgsql stable as $$
begin
  return (
    select left(md5(concat_ws('.', epoch.id, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), database.oid)), 12)
      from stet.epoch, pg_database database
     where database.datname = current_database()
  );
end
$$;

-- Else it would be dropped, while others call it, by everyone who installs what is there.
do $$
begin
  if exists (select from pg_proc where oid = 'stet.sequence()'::regprocedure and 'records' = any(proargnames)) then
    raise duplicate_function using message = 'stet.sequence() tells records already';
  end if;
end
$$;
drop function stet.sequence();

-- As in 0005_open_transactions.sql; and `records` are those that this very call gave their positions, after the one before
-- them: [position, tags, written_at in microseconds]. Null where they are many, or long: what is sent in one piece needs
-- nobody to read on, and who doesn't must not keep the lock.
create function stet.sequence(out epoch text, out tip bigint, out tip_written_at_us bigint, out sequenced bigint, out records json)
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
  if last.epoch <> epoch or last.next_xact > pg_snapshot_xmax(now_open)
    or exists (select from stet.pending where xact >= coalesce(last.next_xact, '0'))
    or exists (select from stet.pending where xact = any(last.open_xacts))
  then
    -- Whoever calls it in a transaction, and then does nothing, must not keep the lock from everybody.
    if current_setting('idle_in_transaction_session_timeout') = '0' then
      perform set_config('idle_in_transaction_session_timeout', '10s', true);
    end if;
    perform pg_advisory_xact_lock(hashtext('stet.sequence'));
    -- Others may have appended, or begun an epoch, until the lock was ours.
    epoch := stet.current_epoch();
    now_open := pg_current_snapshot();
    select * into last from stet.log order by position desc limit 1;
    tip := coalesce(last.position, 0);
    before := tip;
    -- The second: a dump was restored where transactions are numbered otherwise, and the epoch doesn't tell.
    if last.epoch <> epoch or last.next_xact > pg_snapshot_xmax(now_open) then
      tip := tip + 1;
      sequenced := 1;
      insert into stet.log values (tip, array['stet:epoch'], clock_timestamp(), sequence.epoch) returning * into last;
    end if;
    -- What had ended by `now_open` is seen from here on, and moved; unless there is more, of which the last record tells.
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
      -- Here and not in the triggers: NOTIFY makes commits wait for one another, and only sequencers should.
      perform pg_notify('stet', (tip + appended)::text);
    end if;
  end if;
  select log.position, stet.microseconds(log.written_at) into tip, tip_written_at_us from stet.log order by position desc limit 1;
  tip := coalesce(tip, 0);
end
$$;
