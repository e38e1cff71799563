import { randomBytes } from 'node:crypto'
import { queryOnce } from './query-once.ts'
import { getTestRun } from './test-run.ts'

export interface TestDatabase {
  readonly url: string
  readonly name: string
  /** Drops it, also under those still connected. */
  drop(): Promise<void>
}

/** A new, empty database on the server shared by the whole run. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabaseOn(getTestRun().postgresUrl)
}

/** @param template name of the database that it is a copy of. Default: an empty one */
export async function createDatabaseOn(serverUrl: string, template = 'template1'): Promise<TestDatabase> {
  const name = `${databasePrefix(getTestRun().id)}${randomBytes(6).toString('hex')}`
  await queryOnce(serverUrl, `create database ${name} template ${template}`)
  return {
    name,
    url: withDatabase(serverUrl, name),
    async drop() {
      await queryOnce(serverUrl, `drop database if exists ${name} with (force)`)
    },
  }
}

/** Drops what tests of this run forgot to drop, on a server that outlives the run. */
export async function dropDatabasesOfRun(serverUrl: string, runId: string): Promise<void> {
  const rows = await queryOnce(serverUrl, 'select datname as name from pg_database where starts_with(datname, $1)', [
    databasePrefix(runId),
  ])
  for (const { name } of rows) await queryOnce(serverUrl, `drop database if exists ${name} with (force)`)
}

export function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

export function databasePrefix(runId: string): string {
  return `stet_test_${runId}_`
}
