import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlClient } from './log.ts'

/**
 * A trigger that must be on and is not. What is written meanwhile is not in the log, so entries stand that should fall.
 * @example const off: TriggerOff = { table: 'articles', trigger: 'stet_update', state: 'disabled', tags: ['articles'] }
 */
export interface TriggerOff {
  /** With its schema, if the client's search_path does not find it otherwise. */
  readonly table: string
  readonly trigger: string
  /** `altered`: it calls another function. `not always`: writers who set `session_replication_role` don't fire it. */
  readonly state: 'absent' | 'altered' | 'disabled' | 'not always'
  /** What may have been read wrongly meanwhile. Empty if nothing that is cached depends on it. */
  readonly tags: readonly string[]
}

/**
 * Returns the triggers that must be on and are not: those of `stet.watch`, on partitions and children too, and those that
 * `stet.keep` names. Reads the catalogue, which any role may, and waits for nobody.
 * @example
 * for (const { table, trigger, state } of await findTriggersOff(pool)) console.error(`${trigger} on ${table} is ${state}`)
 */
export async function findTriggersOff(primary: SqlClient): Promise<readonly TriggerOff[]> {
  const { rows } = await primary.query<TriggerOff>(
    'select target::text as "table", trigger, state, tags from stet.trigger_off order by target::text collate "C", trigger',
  )
  return rows
}

/**
 * Puts triggers right that are off, each table in a transaction of its own, and lets everything fall that may have been read
 * wrongly meanwhile. Locks no table if none is off.
 *
 * HAZARD: `alter table` waits for every transaction that has written the table, and all later writers wait behind it. So it waits
 * for 100 ms at a time, and tries again for two seconds in all.
 *
 * @returns those that were mended. The others are of tables that were written all the while, or that the role does not own
 * @throws what PostgreSQL says for any other reason
 * @example const mended = await mendTriggers(poolOfTheOwner)
 */
export async function mendTriggers(primary: SqlClient): Promise<readonly TriggerOff[]> {
  const mended: TriggerOff[] = []
  const refused = new Set<string>()
  const startedAtMs = performance.now()
  for (;;) {
    const off = (await findTriggersOff(primary)).filter(({ table }) => !refused.has(table))
    for (const table of new Set(off.map((trigger) => trigger.table))) {
      try {
        const { rows } = await primary.query<{ mended: string }>('select stet.mend($1::regclass) as mended', [table])
        mended.push(...off.filter((it) => it.table === table && rows.some((row) => row.mended === it.trigger)))
      } catch (error) {
        if (codeOf(error) === INSUFFICIENT_PRIVILEGE) refused.add(table)
        else if (!BUSY.includes(codeOf(error))) throw error
      }
    }
    if (off.length === 0 || performance.now() - startedAtMs > PATIENCE_MS) return mended
    await sleep(PAUSE_MS)
  }
}

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown }).code)

const PATIENCE_MS = 2000
const PAUSE_MS = 100
const INSUFFICIENT_PRIVILEGE = '42501'
/** Lock not available, deadlock detected. */
const BUSY: readonly string[] = ['55P03', '40P01']
