-- Every article has its counters, also if somebody deletes them: without, the order of the most viewed would lack the article, and the
-- count of the list would not.

create function article_stats_kept() returns trigger language plpgsql security definer as $$
begin
  insert into article_stats (article_id)
    select id from articles where not exists (select from article_stats where article_id = id) on conflict do nothing;
  return null;
end
$$;
do $$
begin
  execute format('alter function article_stats_kept() set search_path = %I, pg_temp', current_schema());
end
$$;
revoke execute on function article_stats_kept() from public;

-- At depth 0, so not for those that are deleted with their article, or by article_stats_loaded.
select stet.keep('article_stats', 'article_stats_kept', '{}',
  'insert into article_stats (article_id)
     select id from articles where not exists (select from article_stats where article_id = id) on conflict do nothing',
  made => format(
    'CREATE TRIGGER article_stats_kept AFTER DELETE OR TRUNCATE ON %1$I.article_stats FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
       EXECUTE FUNCTION %1$I.article_stats_kept()', current_schema()));
