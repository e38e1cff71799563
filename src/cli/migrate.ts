import { Command } from 'commander'
import { readConfig } from '../app/config.ts'
import { migrate, openDatabases } from '../database/index.ts'
import { print } from './output.ts'

export const migrateCommand = new Command('migrate')
  .description('bring the database schema up to date')
  .option('--json', 'print the result as JSON')
  .action(async ({ json }: { readonly json?: boolean }) => {
    const { databaseUrl: url, dataDirectory } = readConfig()
    const onError = (error: Error) => console.error(`stet: ${error.message}`)
    const databases = await openDatabases({
      url,
      replicaUrl: undefined,
      dataDirectory,
      poolMax: 1,
      statementTimeoutMs: 0,
      onError,
    })
    try {
      const applied = await migrate(databases.database.primary)
      print({ applied }, { json, text: applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.` })
    } finally {
      await databases.close()
    }
  })
