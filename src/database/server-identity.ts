import type { ClientBase } from 'pg'

/** What tells a standby of the primary from another server. */
export interface ServerIdentity {
  readonly isRecovering: boolean
  /** Given by initdb, and the same on every physical copy. Undefined if the role may not read it. */
  readonly system: string | undefined
  /** Of a standby: one that it has surely reached, and maybe a later one by now. Undefined if the role may not read it. */
  readonly timeline: number | undefined
  /** Where its copy of the log ends. 0: the log is empty. */
  readonly position: number
  /** What no other record has that was ever at that position. Undefined if the log is empty. */
  readonly record: string | undefined
  /** The same of the record at the position that was asked for. Undefined if it has none. */
  readonly recordAt: string | undefined
}

/** What `identify` needs of PostgreSQL: a client or a pool. */
export type IdentifiedClient = Pick<ClientBase, 'query'>

/**
 * Asks a server who it is. Any role may ask that may read the log.
 *
 * @param at a position: the identity says which record the server has there
 * @throws what the client throws; also if the log has not been made yet
 */
export async function identify(client: IdentifiedClient, at = 0): Promise<ServerIdentity> {
  const { rows } = await client
    .query<IdentityRow>(query(FROM_CONTROL_FILE), [at])
    .catch((error: { readonly code?: unknown }) => {
      if (!MAY_NOT.includes(String(error.code))) throw error
      return client.query<IdentityRow>(query(WITHOUT_CONTROL_FILE), [at])
    })
  const [row] = rows
  if (!row) throw new Error('The server did not say who it is.')
  return {
    isRecovering: row.is_recovering,
    system: row.system ?? undefined,
    timeline: row.timeline ?? undefined,
    position: Number(row.position ?? 0),
    record: row.record ?? undefined,
    recordAt: row.record_at ?? undefined,
  }
}

/**
 * Says why a server can't be a replica of the primary. Undefined if nothing says that it can't. A replica may lag as it likes.
 *
 * If `primary` answered, it was asked after `replica`, and at its position: so it has every record that a replica of it has.
 */
export function whyNoReplica(replica: ServerIdentity, primary: KnownIdentity): string | undefined {
  if (!replica.isRecovering) return NOT_RECOVERING
  if (isOther(replica.system, primary.system)) return 'it is of another system than the primary'
  // HAZARD: an earlier timeline is no reason. Right after the primary was promoted, all of its replicas are on one.
  if (replica.timeline !== undefined && primary.timeline !== undefined && replica.timeline > primary.timeline) {
    return `it is on timeline ${replica.timeline}, and the primary is on ${primary.timeline}`
  }
  if (isOther(replica.record, primary.recordAt)) return OTHER_HISTORY
  return undefined
}

/** What is known of the primary. What is absent says nothing against a replica. */
export type KnownIdentity = Partial<Pick<ServerIdentity, 'system' | 'timeline' | 'recordAt'>>

export const NOT_RECOVERING = 'it is not in recovery: it is a primary, or was promoted'
export const OTHER_HISTORY = 'it has records in its log that the primary does not have'

/** False if one of the two is not known. */
export const isOther = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

interface IdentityRow {
  readonly is_recovering: boolean
  readonly system: string | null
  readonly timeline: number | null
  readonly position: string | null
  readonly record: string | null
  readonly record_at: string | null
}

// A primary's control file tells of a promotion only after a checkpoint, so its timeline is read from the name of a file.
const TIMELINE_OF_PRIMARY = `('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int`

const FROM_CONTROL_FILE = {
  columns: `system.system_identifier::text as system,
    case when pg_is_in_recovery() then greatest(checkpoint.timeline_id, recovery.min_recovery_end_timeline)
         else ${TIMELINE_OF_PRIMARY} end as timeline`,
  from: 'pg_control_system() system, pg_control_checkpoint() checkpoint, pg_control_recovery() recovery',
}

/** For servers that let no ordinary role read the control file. PostgreSQL itself lets all. */
const WITHOUT_CONTROL_FILE = {
  columns: `null as system, case when not pg_is_in_recovery() then ${TIMELINE_OF_PRIMARY} end as timeline`,
  from: '(select) nothing',
}

/** insufficient_privilege, undefined_function, feature_not_supported */
const MAY_NOT = ['42501', '42883', '0A000']

const RECORD = `epoch || '@' || extract(epoch from written_at)`

const query = ({ columns, from }: { readonly columns: string; readonly from: string }) => `
  select pg_is_in_recovery() as is_recovering, ${columns}, last.position, last.record,
         (select ${RECORD} from stet.log where position = $1) as record_at
    from ${from}
    left join lateral (select position, ${RECORD} as record from stet.log order by position desc limit 1) last on true`
