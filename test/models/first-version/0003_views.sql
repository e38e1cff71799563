-- What a worker remembers, and what the order of the most viewed is made of.

-- How far a queue has been applied: written in the transaction that applies, so that both commit or neither does. Its
-- row is also the lock under which one worker at a time applies, and so in order: what is up to last_id has been decided.
create table stet.applied (
  queue      text not null,
  stream     text not null,
  last_id    text not null default '0-0',
  given_up   jsonb,
  applied_at timestamptz not null default now(),
  primary key (queue, stream)
);
comment on column stet.applied.stream is 'Which history of the queue: one that was lost and began anew is another.';
comment on column stet.applied.given_up is 'The last entry that could not be applied, and why: it belongs to the dead letters.';

-- When a periodic job ran last. Its row is the lock that the whole fleet runs it under.
create table stet.job (
  name   text primary key,
  ran_at timestamptz not null default 'epoch'
);

-- The order of the most viewed goes by the counters as they were when it was made: else each batch of views would
-- drop every list of that order. And without an index on views, counting them touches no index at all.
alter table article_stats add column ranked_views bigint not null default 0;
update article_stats set ranked_views = views where views > 0;
drop index article_stats_most_viewed;
create index article_stats_most_viewed on article_stats (ranked_views, article_id);
select stet.watch('article_stats', 'article_id', '{}', '{ranked_views}');
