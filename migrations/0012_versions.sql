-- An article's version is an integer, and has a successor: after the largest it begins anew, where an update would be refused for ever.

create or replace function article_updated() returns trigger language plpgsql as $$
begin
  new.version := case when old.version operator(pg_catalog.=) 2147483647 then 1 else old.version operator(pg_catalog.+) 1 end;
  new.updated_at := pg_catalog.now();
  return new;
end
$$;
