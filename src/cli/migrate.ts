import { Command } from 'commander'
import { findUnmended, grantTo } from '../database/index.ts'
import { print } from './command.ts'
import { withDatabase } from './with-database.ts'

export const migrateCommand = new Command('migrate')
  .description('bring the database schema up to date, and mend triggers that are off')
  .option('--grant-to <role>', 'then let this role do what `serve` and `worker` do, and nothing else')
  .option('--json', 'print the result as JSON')
  .action(async ({ grantTo: role, json }: { readonly grantTo?: string; readonly json?: boolean }) => {
    const { applied, unmended } = await withDatabase(async (primary, applied, { databaseSchema }) => {
      if (role !== undefined) await grantTo(primary, role)
      return { applied, unmended: await findUnmended(primary, databaseSchema) }
    })
    print({ applied }, { json, text: applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.` })
    if (unmended.length === 0) return
    throw new Error(
      `Triggers are off, or checks missing: ${unmended.join(', ')}. Their tables are in use, or this role does not own them: run it again, as the owner.`,
    )
  })
