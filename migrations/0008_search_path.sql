-- Triggers run with the search_path of whoever writes, by `psql` too. These name other tables, so each finds them in the
-- schema that the content stands in. The others name nothing but what PostgreSQL itself brings.

alter function articles_have_stats() set search_path from current;
alter function articles_touch_tags() set search_path from current;
