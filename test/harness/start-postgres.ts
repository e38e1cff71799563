import type { Means } from './choose-sources.ts'
import type { PostgresServer } from './postgres-server.ts'
import { startPostgresContainer } from './start-postgres-container.ts'
import { startPostgresProcess } from './start-postgres-process.ts'
import { getTestRun } from './test-run.ts'

/** Starts a server of the test's own. */
export function startPostgres(): Promise<PostgresServer> {
  const { postgres, directory } = getTestRun()
  if (!postgres.own) {
    throw new Error(
      'startPostgres() needs a server it can kill: install PostgreSQL (initdb, postgres, pg_basebackup) or run Docker; TEST_DATABASE_URL is not enough',
    )
  }
  return startPostgresBy(postgres.own, directory)
}

export function startPostgresBy(means: Means, runDirectory: string): Promise<PostgresServer> {
  switch (means.kind) {
    case 'binaries':
      return startPostgresProcess(means.path, runDirectory)
    case 'containers':
      return startPostgresContainer(runDirectory)
    default:
      return means satisfies never
  }
}
