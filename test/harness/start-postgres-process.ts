import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabaseOn } from './create-test-database.ts'
import type { PostgresServer, Standby } from './postgres-server.ts'
import { postgresArguments } from './postgres-settings.ts'
import { queryOnce } from './query-once.ts'
import { replayControl } from './replay-control.ts'
import { reservePort } from './reserve-port.ts'
import { createServerDirectory, discardServerDirectory } from './server-directory.ts'
import { ServerProcess } from './server-process.ts'
import { findPostgresUser, type SystemUser } from './system-user.ts'

/** Starts PostgreSQL from the programs in `programs`. */
export async function startPostgresProcess(
  programs: string,
  runDirectory: string,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresServer> {
  const house: House = { programs, runDirectory, user: findPostgresUser() }
  const { server, url, port, discard } = await startServer(house, 'postgres', settings, (data) =>
    runProgram(house, 'initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']),
  )
  return {
    url,
    createDatabase: () => createDatabaseOn(url),
    kill: () => server.kill(),
    pause: async () => server.pause(),
    resume: async () => server.resume(),
    async restart() {
      await server.terminate('SIGINT')
      await server.start()
    },
    startStandby: () => startStandby(house, { url, port }),
    stop: discard,
  }
}

async function startStandby(house: House, primary: { readonly url: string; readonly port: number }): Promise<Standby> {
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres']
  const { server, url, discard } = await startServer(house, 'standby', {}, (data) =>
    runProgram(house, 'pg_basebackup', ['-D', data, ...from, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']),
  )
  return {
    ...replayControl(primary.url, url),
    pause: async () => server.pause(),
    resume: async () => server.resume(),
    stop: discard,
  }
}

interface House {
  readonly programs: string
  readonly runDirectory: string
  readonly user: SystemUser | undefined
}

async function startServer(
  house: House,
  name: string,
  settings: Readonly<Record<string, string>>,
  fill: (data: string) => Promise<unknown>,
) {
  const directory = createServerDirectory(house.runDirectory, name, house.user)
  const data = join(directory, 'data')
  const port = await reservePort(house.runDirectory)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const server = new ServerProcess({
    command: join(house.programs, 'postgres'),
    args: [
      ...['-D', data, '-p', String(port), '-h', '127.0.0.1'],
      ...postgresArguments({ unix_socket_directories: '', ...settings }),
    ],
    directory,
    user: house.user,
    ready: () => queryOnce(url, 'select 1'),
  })
  const discard = async () => {
    await server.kill()
    discardServerDirectory(directory)
  }
  try {
    await fill(data)
    await server.start()
  } catch (error) {
    await discard()
    throw error
  }
  return { server, url, port, discard }
}

function runProgram({ programs, runDirectory, user }: House, name: string, args: readonly string[]): Promise<unknown> {
  return promisify(execFile)(join(programs, name), [...args], { cwd: runDirectory, timeout: 60_000, ...user })
}
