import { createDatabaseOn } from './create-test-database.ts'
import type { PostgresServer, Standby } from './postgres-server.ts'
import { postgresArguments } from './postgres-settings.ts'
import { queryOnce } from './query-once.ts'
import { replayControl } from './replay-control.ts'
import { reservePort } from './reserve-port.ts'
import { startContainer } from './server-container.ts'

const image = 'postgres:17'

/** Starts PostgreSQL in Docker. */
export async function startPostgresContainer(
  runDirectory: string,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresServer> {
  const { GenericContainer, Network } = await import('testcontainers')
  const network = await new Network().start()
  const port = await reservePort(runDirectory)
  const container = await startContainer({
    container: new GenericContainer(image)
      .withNetwork(network)
      .withNetworkAliases('primary')
      .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
      .withExposedPorts({ container: 5432, host: port })
      .withCommand(['postgres', ...postgresArguments(settings)]),
    ready: (host) => queryOnce(urlAt(host, port), 'select 1'),
  })
  const url = urlAt(container.host, port)
  // The image lets everybody in to query, but nobody to replicate.
  await container.run('echo "host replication all all trust" >> "$PGDATA/pg_hba.conf"')
  await queryOnce(url, 'select pg_reload_conf()')
  return {
    url,
    createDatabase: () => createDatabaseOn(url),
    kill: () => container.kill(),
    pause: () => container.pause(),
    resume: () => container.resume(),
    restart: () => container.restart({ stopWith: 'SIGINT' }),
    startStandby: () => startStandby({ url, runDirectory, network }),
    async stop() {
      await container.remove()
      await network.stop()
    },
  }
}

interface Primary {
  readonly url: string
  readonly runDirectory: string
  readonly network: import('testcontainers').StartedNetwork
}

async function startStandby({ url: primaryUrl, runDirectory, network }: Primary): Promise<Standby> {
  const { GenericContainer } = await import('testcontainers')
  const port = await reservePort(runDirectory)
  const container = await startContainer({
    container: new GenericContainer(image)
      .withNetwork(network)
      .withUser('postgres')
      .withExposedPorts({ container: 5432, host: port })
      .withEntrypoint(['bash', '-c', copyThenFollow, 'standby'])
      .withCommand([...postgresArguments({ listen_addresses: '*' })]),
    ready: (host) => queryOnce(urlAt(host, port), 'select 1'),
  })
  return {
    ...replayControl(primaryUrl, urlAt(container.host, port)),
    pause: () => container.pause(),
    resume: () => container.resume(),
    stop: () => container.remove(),
  }
}

const copyThenFollow = [
  'pg_basebackup -D "$PGDATA" -h primary -U postgres -R -X stream -c fast --no-sync',
  'chmod 700 "$PGDATA"',
  'exec postgres "$@"',
].join(' && ')

function urlAt(host: string, port: number): string {
  return `postgres://postgres@${host}:${port}/postgres`
}
