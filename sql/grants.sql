-- Lets a role do what nodes, workers and `stet cache …` do, and nothing else. It may write the content, append to the audit trail and
-- keep the log. It may not change the schema, read or change audit records, or truncate anything.
--
--   stet migrate --grant-to stet_node        as the owner of the tables, after each upgrade: new tables need it, too
--
-- The same by hand, once DATABASE_SCHEMA is alone in the search_path:
--   begin; select set_config('stet.grant_to', 'stet_node', true); \i sql/grants.sql; commit;

do $$
declare
  node    text := format('%I', current_setting('stet.grant_to'));
  content text := format('%I', current_schema());
begin
  if content = 'stet' then
    raise exception 'the content stands beside the log, in the schema stet, so a role could not be kept from the log'
      using hint = 'Set DATABASE_SCHEMA to another schema and migrate: the content then moves there.';
  end if;
  execute format('grant usage on schema stet, %s to %s', content, node);

  -- Each table of the content, also those that an API author adds.
  execute format('grant select, insert, update, delete on all tables in schema %s to %s', content, node);
  execute format('revoke all on %s.audit from %s', content, node);
  -- Neither `at` nor `id`: it can't say that something was done at another time.
  execute format('grant insert (actor, role, action, targets, target_count, address, request_id) on %s.audit to %s', content, node);

  -- To begin an epoch, append and give positions, prune.
  execute format('grant select, update on stet.epoch to %s', node);
  execute format('grant select, insert, delete on stet.pending, stet.log to %s', node);
  execute format('grant select on stet.as_of, stet.migration to %s', node);
  -- What workers remember.
  execute format('grant select, insert, update, delete on stet.applied, stet.job to %s', node);
end
$$;
