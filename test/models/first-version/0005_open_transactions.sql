-- While some transaction stays open for long, the vacuum leaves what was moved out of stet.pending, and whoever asks whether
-- anything is pending would read through all of it. So each record of the log says which transactions had not ended when it
-- was appended: where it is visible, what is pending is theirs, or of later ones. An index finds those.

alter table stet.pending
  add column xact xid8 not null default pg_current_xact_id(),
  drop constraint pending_pkey,
  add primary key (xact, id);
comment on column stet.pending.xact is 'The transaction that wrote it.';

-- The defaults are for whoever appends by hand: any transaction.
alter table stet.log
  add column next_xact xid8 not null default '0',
  add column open_xacts xid8[] not null default '{}';
comment on column stet.log.next_xact is 'Transactions from this one on had not begun when the record was appended.';
comment on column stet.log.open_xacts is 'Transactions before it that had not ended.';

-- Ordered, lest the planner read all of a table that it takes for small.
create or replace view stet.as_of as
  select coalesce(last.position, 0) as position,
         (select xact from stet.pending where xact >= coalesce(last.next_xact, '0') order by xact limit 1) is not null
           or (select xact from stet.pending where xact = any(last.open_xacts) order by xact limit 1) is not null as unsettled,
         last.epoch
    from (select) one
    left join lateral (select position, epoch, next_xact, open_xacts from stet.log order by position desc limit 1) last on true;

-- As in 0004_log_epochs.sql, with what is said above; and no more than 100,000 records at a time, so that no burst takes longer
-- than a statement may: call it again while it has moved as many. enable_seqscan: its plans are kept, and may have been made
-- when the table was small.
create or replace function stet.sequence(out epoch text, out tip bigint, out tip_written_at_us bigint, out sequenced bigint)
language plpgsql volatile set enable_seqscan = off as $$
declare
  last stet.log;
  now_open pg_snapshot;
  batch tid[];
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
    if sequenced > 0 then
      -- Here and not in the triggers: NOTIFY makes commits wait for one another, and only sequencers should.
      perform pg_notify('stet', (tip + appended)::text);
    end if;
  end if;
  select log.position, stet.microseconds(log.written_at) into tip, tip_written_at_us from stet.log order by position desc limit 1;
  tip := coalesce(tip, 0);
end
$$;
