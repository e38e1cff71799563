import { Command } from 'commander'
import { grantTo } from '../database/index.ts'
import { print } from './command.ts'
import { withDatabase } from './with-database.ts'

export const migrateCommand = new Command('migrate')
  .description('bring the database schema up to date')
  .option('--grant-to <role>', 'then let this role do what `serve` and `worker` do, and nothing else')
  .option('--json', 'print the result as JSON')
  .action(async ({ grantTo: role, json }: { readonly grantTo?: string; readonly json?: boolean }) => {
    const applied = await withDatabase(async (primary, migrations) => {
      if (role !== undefined) await grantTo(primary, role)
      return migrations
    })
    print({ applied }, { json, text: applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.` })
  })
