-- An article's words, worked out part by part, and only of what has changed. As a generated column they were worked out at
-- every update, since the table has a trigger before it: a new title, or nothing but a new status, had the whole body read
-- again, which took longer than all the rest.

alter table articles
  -- Generated at first, so that every row has it without being updated.
  add column body_words tsvector not null generated always as (to_tsvector('english', left(body, 100000))) stored;
alter table articles
  alter column body_words drop expression,
  alter column search drop expression;
comment on column articles.body_words is 'Those of the body, as `search` has them behind the title''s and the summary''s.';

create function articles_words() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' or new.body <> old.body then
    new.body_words := to_tsvector('english', left(new.body, 100000));
  end if;
  if tg_op = 'INSERT' or (new.title, new.summary, new.body) <> (old.title, old.summary, old.body) then
    new.search := setweight(to_tsvector('english', new.title), 'A')
      || setweight(to_tsvector('english', new.summary), 'B')
      || setweight(new.body_words, 'C');
  end if;
  return new;
end
$$;
create trigger articles_words before insert or update of title, summary, body on articles
  for each row execute function articles_words();
-- Also where somebody sets session_replication_role to write faster.
alter table articles enable always trigger articles_words;
