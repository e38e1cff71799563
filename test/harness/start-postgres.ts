import type { Means } from './choose-sources.ts'
import type { PostgresServer } from './postgres-server.ts'
import { startPostgresContainer } from './start-postgres-container.ts'
import { startPostgresProcess } from './start-postgres-process.ts'
import { getTestRun } from './test-run.ts'

export interface StartPostgresOptions {
  /** More of its parameters, such as `{ log_statement: 'all' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts a server of the test's own. */
export function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresServer> {
  const { postgres, directory } = getTestRun()
  if (!postgres.own) {
    throw new Error(
      'startPostgres() needs a server it can kill: install PostgreSQL (initdb, postgres, pg_basebackup) or run Docker; TEST_DATABASE_URL is not enough',
    )
  }
  return startPostgresBy(postgres.own, directory, options)
}

export function startPostgresBy(
  means: Means,
  runDirectory: string,
  { settings = {} }: StartPostgresOptions,
): Promise<PostgresServer> {
  switch (means.kind) {
    case 'binaries':
      return startPostgresProcess(means.path, runDirectory, settings)
    case 'containers':
      return startPostgresContainer(runDirectory, settings)
    default:
      return means satisfies never
  }
}
