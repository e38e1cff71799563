#!/usr/bin/env -S node --no-allocation-site-pretenuring
// A flag of V8. `npm start` and `npm run stet` pass it too, and tests and bench/ read it here. It must stand on the command line:
// some versions of V8 read it only when it starts.
//
// --no-allocation-site-pretenuring: V8 otherwise begins to put new objects among the old, if many requests that wait at the
// same moment make it believe that objects made there live long. A request's garbage then keeps the next one's alive, so that
// requests take up to twice as long: `test/integration/young-garbage.test.ts`.
import { CommanderError } from 'commander'
import { ConfigError } from '../app/config.ts'
import { ClientError } from '../kernel/errors.ts'
import { hideCredentials } from '../kernel/hide-credentials.ts'
import { Failure, Interrupted, UsageError } from './command.ts'
import { program } from './program.ts'

// Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by a signal.
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof Failure) {
    process.exitCode = 1
  } else {
    console.error(error instanceof ConfigError ? error.message : `stet: ${describe(error)}`)
    process.exitCode = error instanceof Interrupted ? 130 : isMisuse(error) ? 2 : 1
  }
}

function isMisuse(error: unknown): boolean {
  const isBadInput = error instanceof ClientError && error.code === 'BAD_USER_INPUT'
  return isBadInput || error instanceof ConfigError || error instanceof UsageError
}

/** The error in one line, without credentials. Node's AggregateError for a name with several addresses has no message, so its first error is described. */
function describe(error: unknown): string {
  const first: unknown = error instanceof AggregateError && error.message === '' ? error.errors[0] : error
  return hideCredentials(first instanceof Error ? first.message || first.name : String(first))
}
