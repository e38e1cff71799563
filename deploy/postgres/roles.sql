-- Makes two roles: stet_owner owns the database and migrates it, stet_node serves and may do no more than `sql/grants.sql` says.
-- The image of PostgreSQL runs this once, as the superuser, when the volume is empty.

\set owner_password `cat /run/secrets/postgres_owner_password`
\set node_password `cat /run/secrets/postgres_node_password`

create role stet_owner login password :'owner_password';
create role stet_node login password :'node_password';
alter database stet owner to stet_owner;
-- Not even temporary tables, which everybody could make otherwise.
revoke all on database stet from public;
grant connect on database stet to stet_node;
