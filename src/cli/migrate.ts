import { Command } from 'commander'
import { print } from './command.ts'
import { withDatabase } from './with-database.ts'

export const migrateCommand = new Command('migrate')
  .description('bring the database schema up to date')
  .option('--json', 'print the result as JSON')
  .action(async ({ json }: { readonly json?: boolean }) => {
    const applied = await withDatabase(async (_primary, migrations) => migrations)
    print({ applied }, { json, text: applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.` })
  })
