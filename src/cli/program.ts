import { Command } from 'commander'
import { auditCommand } from './audit.ts'
import { explainCommand } from './cache/explain.ts'
import { getCommand } from './cache/get.ts'
import { invalidateCommand } from './cache/invalidate.ts'
import { purgeCommand } from './cache/purge.ts'
import { statsCommand } from './cache/stats.ts'
import { verifyCommand } from './cache/verify.ts'
import { warmCommand } from './cache/warm.ts'
import { configCommand } from './config.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { migrateCommand } from './migrate.ts'
import { seedCommand } from './seed.ts'
import { serveCommand } from './serve.ts'
import { tokenCommand } from './token.ts'
import { deadCommand } from './worker/dead.ts'
import { runCommand } from './worker/run.ts'

const cacheCommand = new Command('cache')
  .description('inspect what is cached, and invalidate it')
  .addCommand(getCommand)
  .addCommand(explainCommand)
  .addCommand(invalidateCommand)
  .addCommand(purgeCommand)
  .addCommand(statsCommand)
  .addCommand(verifyCommand)
  .addCommand(warmCommand)

const workerCommand = new Command('worker')
  .description('do the work that servers leave for later: count views, rank articles')
  .addCommand(runCommand, { isDefault: true })
  .addCommand(deadCommand)

/** What a person may type. */
export const program = new Command('stet')
  .description('A GraphQL API whose cached answers are fresh after every write, on every node.')
  .addCommand(serveCommand)
  .addCommand(migrateCommand)
  .addCommand(importCommand)
  .addCommand(exportCommand)
  .addCommand(seedCommand)
  .addCommand(tokenCommand)
  .addCommand(configCommand)
  .addCommand(auditCommand)
  .addCommand(cacheCommand)
  .addCommand(workerCommand)

explainMisuse(program)

/** Lets a command, and those below it, throw errors instead of exiting, and print their help after one. */
function explainMisuse(command: Command): void {
  command.exitOverride().showHelpAfterError()
  for (const each of command.commands) explainMisuse(each)
}
