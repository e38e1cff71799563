-- Who changed what: see docs/security.md#the-audit-trail. A part of the content, because a program that uses the engine alone
-- has its own idea of users.

create table audit (
  at           timestamptz not null default clock_timestamp(),
  id           bigint generated always as identity,
  actor        text,
  role         text not null,
  action       text not null,
  targets      text[] not null default '{}',
  target_count integer not null default 0,
  address      text,
  request_id   text,
  primary key (at, id)
);
comment on table audit is 'Every change that somebody made by the API or a command, in the transaction that made it. Append only.';
comment on column audit.actor is 'users:42, or the system''s user that ran a command. Null for a visitor, and for an admin who is no user.';
comment on column audit.role is 'visitor, author or admin; operator for a command.';
comment on column audit.action is 'The mutation, or the command.';
comment on column audit.targets is 'The rows that were written, or the tags that were invalidated: the first 100.';
comment on column audit.target_count is 'How many there were.';
comment on column audit.address is 'The client''s address, or the host that ran a command.';

-- Only the owner deletes, and only on purpose: stet.prune_audit is `on` while `stet audit prune` runs.
create function audit_is_append_only() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  is_owner boolean := pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'usage');
begin
  if tg_op = 'DELETE' and is_owner and current_setting('stet.prune_audit', true) = 'on' then
    return null;
  end if;
  raise exception 'audit records are only ever appended, so % is refused', tg_op
    using errcode = 'insufficient_privilege', hint = 'Its owner deletes old ones by `stet audit prune`.';
end
$$;
create trigger audit_is_append_only before update or delete or truncate on audit
  for each statement execute function audit_is_append_only();
-- Also if a writer sets session_replication_role.
alter table audit enable always trigger audit_is_append_only;
