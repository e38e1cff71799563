import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { PROJECT } from '../kernel/project.ts'
import type { SqlClient } from './log.ts'

/**
 * Creates the `stet` schema (log, functions, `stet.watch`) from `sql/log.sql`, or brings one up to date that an earlier version
 * made. Changes nothing and locks no table if the database has had that very text. Safe to call from several processes at once.
 *
 * @returns the name under which `stet.migration` remembers the text: `log-` and its fingerprint
 * @throws what PostgreSQL says, for example if the role may not create a schema
 * @example
 * await installStet(pool)
 * await pool.query(`select stet.watch('products', 'id', '{shelf_id}')`)
 */
export async function installStet(primary: SqlClient): Promise<string> {
  const text = await readFile(new URL('sql/log.sql', PROJECT), 'utf8')
  const name = `log-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
  // One statement is one transaction, also on a pool: the lock is held until the work is done. What stands between the `if`s is
  // parsed only if it is reached, so the table need not exist.
  await primary.query(`
    do $install$
    begin
      perform pg_advisory_xact_lock(hashtext('stet.install'));
      if to_regclass('stet.migration') is not null then
        if exists (select from stet.migration where name = '${name}') then
          return;
        end if;
      end if;
      execute $log$${text}$log$;
      insert into stet.migration (name) values ('${name}');
    end
    $install$`)
  return name
}
