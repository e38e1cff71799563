import { Command, InvalidArgumentError } from 'commander'
import { parseDate } from '../content/index.ts'
import { type AuditRow, pruneAudit, readAudit } from '../database/index.ts'
import { parseGlobalId } from '../identity/index.ts'
import { print } from './command.ts'
import { withDatabase } from './with-database.ts'

interface ListOptions {
  readonly since: Date
  readonly user?: string
  readonly what?: string
  readonly json?: boolean
}

/** A command that only reads must not migrate. */
const READ_ONLY = { migrates: false }

const listCommand = new Command('list')
  .description('print who changed what, when and from where, the newest last; what plain `audit` does')
  .option(
    '--since <time>',
    'an instant such as 2026-01-31T12:00:00Z, or how long ago: 90s, 30m, 24h, 7d (default: 24h)',
    parseTime,
    parseTime('24h'),
  )
  .option('--user <user>', 'only by this user: an id, a row id, or the system user of a command', parseUser)
  .option('--what <action>', 'only this mutation or command, such as deleteArticle or "cache purge"')
  .option('--json', 'print each record as one line of JSON')
  .action(({ since, user: actor, what: action, json }: ListOptions) =>
    withDatabase(async (db) => {
      for await (const row of readAudit(db, { since, actor, action })) {
        print(recordOf(row), { json, text: lineOf(row) })
      }
    }, READ_ONLY),
  )

const pruneCommand = new Command('prune')
  .description('delete old audit records, as the owner of the tables')
  .requiredOption('--before <time>', 'those before an instant, or older than, say, 365d', parseTime)
  .option('--json', 'print the result as JSON')
  .action(async ({ before, json }: { readonly before: Date; readonly json?: boolean }) => {
    const deleted = await withDatabase((db) => pruneAudit(db, before))
    print({ deleted }, { json, text: `Deleted ${deleted} audit records.` })
  })

export const auditCommand = new Command('audit')
  .description('who changed what, when and from where')
  .addCommand(listCommand, { isDefault: true })
  .addCommand(pruneCommand)

const recordOf = ({ at, actor, role, action, targets, target_count, address, request_id }: AuditRow) => ({
  at,
  actor,
  role,
  action,
  targets,
  targetCount: target_count,
  address,
  requestId: request_id,
})

function lineOf({ at, actor, role, action, targets, target_count, address, request_id }: AuditRow): string {
  const named = targets.slice(0, SHOWN)
  const more = target_count > named.length ? [`and ${target_count - named.length} more`] : []
  const who = `${actor ?? '-'} (${role})`
  return [
    at.toISOString(),
    who.padEnd(18),
    action.padEnd(16),
    (address ?? '-').padEnd(15),
    request_id ?? '-',
    ...named,
    ...more,
  ].join('  ')
}

const SHOWN = 5

function parseUser(text: string): string {
  if (/^\d+$/.test(text)) return `users:${text}`
  const parsed = parseGlobalId(text)
  return parsed?.type === 'User' ? `users:${parsed.id}` : text
}

/** An instant, or how long before now. */
function parseTime(text: string): Date {
  const ms: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const date = count === undefined ? parseDate(text) : Date.now() - Number(count) * (ms[unit] ?? 0)
  if (date === undefined || Number.isNaN(new Date(date).getTime())) {
    throw new InvalidArgumentError('It must be an instant such as 2026-01-31T12:00:00Z, or how long ago, such as 24h.')
  }
  return new Date(date)
}
