#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config.ts'
import { configCommand } from './config.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { migrateCommand } from './migrate.ts'
import { Failure } from './output.ts'
import { seedCommand } from './seed.ts'
import { serveCommand } from './serve.ts'
import { tokenCommand } from './token.ts'

const program = new Command('stet')
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
]) {
  program.addCommand(command.exitOverride().showHelpAfterError())
}

// Exit codes: 0 done, 1 failed, 2 wrong usage.
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof Failure) {
    process.exitCode = 1
  } else {
    console.error(error instanceof ConfigError ? error.message : `stet: ${describe(error)}`)
    process.exitCode = error instanceof ConfigError ? 2 : 1
  }
}

/** One line. A name with several addresses fails with an error for each of them, and no message of its own. */
function describe(error: unknown): string {
  const first: unknown = error instanceof AggregateError && error.message === '' ? error.errors[0] : error
  return first instanceof Error ? first.message || first.name : String(first)
}
