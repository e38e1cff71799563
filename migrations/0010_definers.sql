-- Who writes an article needs no right to what the write brings about elsewhere: these run with the rights of their owner. So nobody's
-- settings may decide what they find: `pg_temp` stands last, where it would be first if it weren't named.

do $$
declare
  content text := format('%I, pg_temp', current_schema());
begin
  execute format('alter function articles_have_stats() security definer set search_path = %s', content);
  execute format('alter function articles_touch_tags() security definer set search_path = %s', content);
end
$$;
revoke execute on function articles_have_stats(), articles_touch_tags() from public;
