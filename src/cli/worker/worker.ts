import { Command } from 'commander'
import { deadCommand } from './dead.ts'
import { runCommand } from './run.ts'

export const workerCommand = new Command('worker')
  .description('do the work that servers leave for later: count views, rank articles')
  .addCommand(runCommand, { isDefault: true })
  .addCommand(deadCommand)
