import { Command } from 'commander'
import { explainCommand } from './explain.ts'
import { getCommand } from './get.ts'
import { invalidateCommand } from './invalidate.ts'
import { purgeCommand } from './purge.ts'
import { statsCommand } from './stats.ts'
import { verifyCommand } from './verify.ts'
import { warmCommand } from './warm.ts'

export const cacheCommand = new Command('cache').description('look at what is cached, and have it loaded anew')

for (const command of [
  getCommand,
  explainCommand,
  invalidateCommand,
  purgeCommand,
  statsCommand,
  verifyCommand,
  warmCommand,
]) {
  cacheCommand.addCommand(command)
}
