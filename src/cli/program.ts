import { Command } from 'commander'
import { cacheCommand } from './cache/cache.ts'
import { configCommand } from './config.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { migrateCommand } from './migrate.ts'
import { seedCommand } from './seed.ts'
import { serveCommand } from './serve.ts'
import { tokenCommand } from './token.ts'
import { workerCommand } from './worker/worker.ts'

/** What a person may type. */
export const program = new Command('stet')
  .description('A GraphQL API whose cached answers are fresh after every write, on every node.')
  .exitOverride()
  .showHelpAfterError()

for (const command of [
  serveCommand,
  migrateCommand,
  importCommand,
  exportCommand,
  seedCommand,
  tokenCommand,
  configCommand,
  cacheCommand,
  workerCommand,
]) {
  program.addCommand(command)
  explainMisuse(command)
}

function explainMisuse(command: Command): void {
  command.exitOverride().showHelpAfterError()
  for (const each of command.commands) explainMisuse(each)
}
