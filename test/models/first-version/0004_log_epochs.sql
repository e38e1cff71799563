-- Which history of the log a record belongs to stands with the record itself: so whoever reads it from a standby that still
-- follows a lost history, or has not heard of the present one, is told so by what it reads.

-- The default is for whoever appends by hand; evaluated once for the records that are there.
alter table stet.log add column epoch text not null default stet.current_epoch();

create or replace view stet.as_of as
  select coalesce(last.position, 0) as position,
         exists (select from stet.pending) as unsettled,
         last.epoch
    from (select) one
    left join lateral (select position, epoch from stet.log order by position desc limit 1) last on true;
comment on view stet.as_of is
  'position: every write logged at or before it is visible here. unsettled: so are writes that have no position yet. epoch: the history that the position belongs to; null while the log is empty.';

-- As in 0001_stet.sql; and where the log's last record is of another epoch than the present one, it appends a record that
-- begins it. From then on what is read as of the log's end belongs to the present history.
create or replace function stet.sequence(out epoch text, out tip bigint, out tip_written_at_us bigint, out sequenced bigint)
language plpgsql volatile as $$
declare
  last_epoch text;
  appended bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'stet.sequence() needs READ COMMITTED, and this transaction is %', upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state', hint = 'Call it after the transaction, or set default_transaction_isolation for the role.';
  end if;
  epoch := stet.current_epoch();
  sequenced := 0;
  select log.position, log.epoch into tip, last_epoch from stet.log order by position desc limit 1;
  if last_epoch <> epoch or exists (select from stet.pending) then
    perform pg_advisory_xact_lock(hashtext('stet.sequence'));
    -- Others may have appended, or begun an epoch, until the lock was ours.
    epoch := stet.current_epoch();
    select log.position, log.epoch into tip, last_epoch from stet.log order by position desc limit 1;
    tip := coalesce(tip, 0);
    if last_epoch <> epoch then
      insert into stet.log values (tip + 1, array['stet:epoch'], clock_timestamp(), sequence.epoch);
      tip := tip + 1;
      sequenced := 1;
    end if;
    with moved as (delete from stet.pending returning id, tags, written_at)
    insert into stet.log
      select sequence.tip + row_number() over (order by id), tags, written_at, sequence.epoch from moved;
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
