import { Command } from 'commander'
import { explainCommand } from './explain.ts'
import { getCommand } from './get.ts'
import { invalidateCommand } from './invalidate.ts'
import { purgeCommand } from './purge.ts'
import { statsCommand } from './stats.ts'
import { verifyCommand } from './verify.ts'
import { warmCommand } from './warm.ts'

export const cacheCommand = new Command('cache')
  .description('inspect what is cached, and invalidate it')
  .addCommand(getCommand)
  .addCommand(explainCommand)
  .addCommand(invalidateCommand)
  .addCommand(purgeCommand)
  .addCommand(statsCommand)
  .addCommand(verifyCommand)
  .addCommand(warmCommand)
