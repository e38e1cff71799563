import { hostname, userInfo } from 'node:os'
import {
  type CompiledQuery,
  DeleteQueryNode,
  InsertQueryNode,
  type Kysely,
  type KyselyPlugin,
  PostgresDialect,
  PostgresQueryCompiler,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  sql,
  TableNode,
  type UnknownRow,
  UpdateQueryNode,
} from 'kysely'
import type { Tables } from './tables.ts'

/** Who does something, by what, and from where: what an audit record says beside the rows that were written. */
export interface Act {
  /** `users:42`, or the system's user that runs a command. Undefined for a visitor, and for an admin who is no user. */
  readonly actor: string | undefined
  /** Of a command: operator. */
  readonly role: 'visitor' | 'author' | 'admin' | 'operator'
  /** The mutation, or the command. */
  readonly action: string
  /** The client's address, or the host that runs a command. */
  readonly address: string
  readonly requestId?: string | undefined
}

/** The act of a command: its actor is the system's user. */
export function operatorAct(action: string): Act {
  return { actor: systemUser(), role: 'operator', action, address: hostname() }
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a user that has no name.
    return `uid ${process.getuid?.()}`
  }
}

/**
 * Appends an audit record of what the transaction has written so far, by the tags that it wrote to the log: all of them, or those
 * that name rows, if there are any. Does nothing if it wrote none. For raw SQL. Costs a round trip.
 */
export async function recordWritten(
  transaction: Kysely<Tables>,
  act: Act,
  which: 'rows' | 'all' = 'all',
): Promise<void> {
  await sql`
    insert into audit (actor, role, action, address, request_id, targets, target_count)
    select ${act.actor}, ${act.role}, ${act.action}, ${act.address}, ${act.requestId}, targets[1:${MAX_TARGETS}], cardinality(targets)
      from (
        select coalesce(
                 -- Triggers name lists beside rows.
                 array_agg(distinct tag) filter (where ${which} = 'rows' and tag ~ '^[a-z_]+(:[0-9]+)?$' and split_part(tag, ':', 1) <> all (${PARTS}::text[])),
                 array_agg(distinct tag)
               ) as targets
          from stet.pending, unnest(tags) as tag
         where xact = pg_current_xact_id()
      ) written
     where targets is not null`.execute(transaction)
}

/** Appends an audit record that names its targets. */
export async function recordAct(db: Kysely<Tables>, act: Act, targets: readonly string[] = []): Promise<void> {
  const { actor, role, action, address, requestId: request_id } = act
  const values = { actor, role, action, address, request_id, targets: targets.slice(0, MAX_TARGETS) }
  await db
    .insertInto('audit')
    .values({ ...values, target_count: targets.length })
    .execute()
}

/**
 * Lets each statement that `db.withPlugin(audit)` builds, and that writes rows, append an audit record: within the statement, so that
 * it costs no round trip, and both or neither are committed. A statement that writes no row leaves none.
 *
 * HAZARD: statements of raw SQL leave none, nor does any statement in another dialect than `AuditingDialect`: see `isUsed` and `recordWritten`.
 */
export class AuditPlugin implements KyselyPlugin {
  readonly act: Act
  /** A statement was built that leaves a record. */
  isUsed = false
  readonly #audited = new WeakSet<QueryId>()

  constructor(act: Act) {
    this.act = act
  }

  transformQuery({
    node,
    queryId,
  }: {
    readonly node: RootOperationNode
    readonly queryId: QueryId
  }): RootOperationNode {
    const table = tableOf(node)
    if (table === undefined || PARTS.includes(table)) return node
    this.isUsed = true
    this.#audited.add(queryId)
    const audited: AuditedNode = { ...node, audit: { act: this.act, table } }
    return audited
  }

  async transformResult({ result, queryId }: { readonly result: QueryResult<UnknownRow>; readonly queryId: QueryId }) {
    if (!this.#audited.has(queryId)) return result
    return { ...result, numAffectedRows: BigInt(result.rows.length) }
  }
}

/** PostgreSQL, with a compiler that knows what `AuditPlugin` asks for. */
export class AuditingDialect extends PostgresDialect {
  override createQueryCompiler(): PostgresQueryCompiler {
    return new AuditingCompiler()
  }
}

type AuditedNode = RootOperationNode & { readonly audit?: { readonly act: Act; readonly table: string } }

class AuditingCompiler extends PostgresQueryCompiler {
  override compileQuery(node: AuditedNode, queryId: QueryId): CompiledQuery {
    const compiled = super.compileQuery(node, queryId)
    if (!node.audit) return compiled
    const { act, table } = node.audit
    const values = [act.actor, act.role, act.action, act.address, act.requestId]
    const first = compiled.parameters.length + 1
    const places = values.map((_, index) => `$${first + index}::text`).join(', ')
    const returning = 'returning' in node && node.returning ? '' : ' returning id'
    return {
      ...compiled,
      parameters: [...compiled.parameters, ...values],
      sql: `with written as (${compiled.sql}${returning}), audited as (
        insert into audit (actor, role, action, address, request_id, targets, target_count)
        select ${places}, (array_agg('${table}:' || id))[1:${MAX_TARGETS}], count(*) from written having count(*) > 0
      ) select * from written`,
    }
  }
}

/** The table that a statement writes. Undefined if it writes none. */
function tableOf(node: RootOperationNode): string | undefined {
  const target = InsertQueryNode.is(node)
    ? node.into
    : UpdateQueryNode.is(node)
      ? node.table
      : DeleteQueryNode.is(node)
        ? node.from.froms[0]
        : undefined
  if (target === undefined) return undefined
  if (!TableNode.is(target))
    throw new TypeError(`A statement that is audited must write one table, not a ${target.kind}.`)
  return target.table.identifier.name
}

/** Their rows belong to an article, whose own record says enough. The audit trail has no records of itself. */
const PARTS = ['article_tags', 'article_stats', 'audit']

const MAX_TARGETS = 100
