import type { ServerSource } from './choose-sources.ts'

/** What one run of the tests has decided and started, known to all its workers. */
export interface TestRun {
  /** Part of every name the run leaves on a shared server. */
  readonly id: string
  /** Everything the run puts on disk. */
  readonly directory: string
  readonly postgres: ServerSource
  readonly redis: ServerSource
  /** The server shared by all tests; a user who may create databases. */
  readonly postgresUrl: string
  readonly redisUrl: string
}

const variable = 'STET_TEST_RUN'

export function getTestRun(): TestRun {
  const text = process.env[variable]
  if (!text) throw new Error('no test run has begun: jest begins one in its globalSetup, a script calls beginTestRun()')
  return JSON.parse(text)
}

/** Where the servers shared by all tests are. */
export function sharedServers(): Pick<TestRun, 'postgresUrl' | 'redisUrl'> {
  return getTestRun()
}

/** Whether a database is on the PostgreSQL server shared by all tests, which nobody breaks. */
export function isShared(databaseUrl: string): boolean {
  return process.env[variable] !== undefined && new URL(databaseUrl).host === new URL(getTestRun().postgresUrl).host
}

/** Workers started from now on inherit it. */
export function announceTestRun(run: TestRun | undefined): void {
  if (run) process.env[variable] = JSON.stringify(run)
  else delete process.env[variable]
}
