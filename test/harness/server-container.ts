import type { GenericContainer, StartedTestContainer } from 'testcontainers'
import { eventually } from './eventually.ts'

export interface ServerContainerOptions {
  readonly container: GenericContainer
  /** Resolves when the server answers on the host where Docker publishes its port, rejects while it does not. */
  readonly ready: (host: string) => Promise<unknown>
}

/** A server in a container that can be killed, paused and started again. Its ports must be bound to fixed ones. */
export interface ServerContainer {
  readonly host: string
  /** A shell command, run inside. */
  run(command: string): Promise<void>
  putFile(path: string): Promise<void>
  kill(): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  /** `stopWith` is the signal the server understands as a request to end. */
  restart(options: { readonly stopWith: NodeJS.Signals }): Promise<void>
  remove(): Promise<void>
}

export async function startContainer({ container, ready }: ServerContainerOptions): Promise<ServerContainer> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const started: StartedTestContainer = await container.start()
  // testcontainers itself can only stop and restart; the Docker client beneath it knows the rest.
  const docker = (await getContainerRuntimeClient()).container.getById(started.getId())
  const host = started.getHost()
  await eventually(() => ready(host), { withinMs: 60_000 })

  const state = async () => (await docker.inspect()).State
  const end = async (signal: NodeJS.Signals) => {
    const { Running, Paused } = await state()
    if (!Running) return
    if (Paused) await docker.unpause()
    await docker.kill({ signal })
    await eventually(async () => !(await state()).Running)
  }
  return {
    host,
    async run(command) {
      const { exitCode, output } = await started.exec(['bash', '-c', command])
      if (exitCode !== 0) throw new Error(`"${command}" failed in the container: ${output}`)
    },
    putFile: (path) => started.copyContentToContainer([{ content: 'written by the test harness\n', target: path }]),
    kill: () => end('SIGKILL'),
    async pause() {
      await docker.pause()
    },
    async resume() {
      await docker.unpause()
    },
    async restart({ stopWith }) {
      await end(stopWith)
      await docker.start()
      await eventually(() => ready(host), { withinMs: 60_000 })
    },
    async remove() {
      await docker.remove({ force: true, v: true })
    },
  }
}
