-- Nothing about a writer decides what a trigger does, and no trigger is off without a word.

-- Every operator and function is that of PostgreSQL, also for a writer whose search_path has others of the same name.
create or replace function article_updated() returns trigger language plpgsql as $$
begin
  new.version := old.version operator(pg_catalog.+) 1;
  new.updated_at := pg_catalog.now();
  return new;
end
$$;
alter function articles_words() set search_path = pg_catalog, pg_temp;

-- `pg_dump --data-only` loads articles, which have their counters by then, and then the counters. Any other writer leaves those alone.
create function article_stats_loaded() returns trigger language plpgsql as $$
begin
  delete from article_stats where article_id = new.article_id and views = 0 and ranked_views = 0;
  return new;
end
$$;
do $$
begin
  execute format('alter function article_stats_loaded() set search_path = %I, pg_temp', current_schema());
end
$$;

-- Makes the trigger functions anew, which run with the rights of their owner now. Locks no table.
select stet.watch('users', 'id', '{username}');
select stet.watch('tags', 'id', '{slug}', '{name}');
select stet.watch('articles', 'id', '{author_id,status,slug,published_at,sorted_at}', '{title,search}');
select stet.watch('article_tags', null, '{article_id,tag_id}');
select stet.watch('article_stats', 'article_id', '{}', '{ranked_views}');

-- In a database from before, three of these are not `always` yet, and one is missing. `migrate` sees to that after its transaction:
-- here it would wait for every open write, and let all others wait behind it.
select stet.keep('articles', 'article_updated', '{articles}');
select stet.keep('articles', 'articles_words', '{articles}');
select stet.keep('articles', 'articles_touch_tags', '{article_tags}');
select stet.keep('articles', 'articles_have_stats', '{articles,article_stats}',
  'insert into article_stats (article_id)
     select id from articles where not exists (select from article_stats where article_id = id) on conflict do nothing');
select stet.keep('article_stats', 'article_stats_loaded', '{}', made => format(
  'CREATE TRIGGER article_stats_loaded BEFORE INSERT ON %1$I.article_stats FOR EACH ROW WHEN (pg_trigger_depth() = 0)
     EXECUTE FUNCTION %1$I.article_stats_loaded()', current_schema()));
select stet.keep('audit', 'audit_is_append_only', '{}');
