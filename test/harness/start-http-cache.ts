import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findOnPath } from './find-binaries.ts'
import { reservePort } from './reserve-port.ts'
import { createServerDirectory, discardServerDirectory } from './server-directory.ts'
import { ServerProcess } from './server-process.ts'
import { getTestRun } from './test-run.ts'

/** Caches that stand in front of a node, by their programs. */
export const HTTP_CACHES = { Varnish: 'varnishd', nginx: 'nginx' } as const

export type HttpCacheName = keyof typeof HTTP_CACHES

export const isInstalled = (cache: HttpCacheName): boolean => findOnPath(HTTP_CACHES[cache]) !== undefined

export interface HttpCache {
  readonly url: string
  stop(): Promise<void>
}

interface StartHttpCacheOptions {
  /** For how long Varnish may give a stale answer while the node is well, in seconds. Default: as the file says. */
  readonly graceSeconds?: number
}

/** Starts a cache in front of a node, as the file in `deploy/` configures it. */
export async function startHttpCache(
  cache: HttpCacheName,
  nodeUrl: string,
  { graceSeconds = 0 }: StartHttpCacheOptions = {},
): Promise<HttpCache> {
  const { directory: runDirectory } = getTestRun()
  const directory = createServerDirectory(runDirectory, HTTP_CACHES[cache])
  const port = await reservePort(runDirectory)
  const url = `http://127.0.0.1:${port}`
  const server = new ServerProcess({
    command: HTTP_CACHES[cache],
    args: SETUPS[cache]({ directory, port, node: new URL(nodeUrl), graceSeconds }),
    directory,
    ready: async () => {
      if (!(await fetch(`${url}/readyz`)).ok) throw new Error(`${cache} does not reach the node yet.`)
    },
  })
  const stop = async () => {
    await server.kill()
    discardServerDirectory(directory)
  }
  try {
    await server.start()
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

interface Setup {
  readonly directory: string
  readonly port: number
  readonly node: URL
  readonly graceSeconds: number
}

/** Each writes its configuration, and gives the arguments of the program. */
const SETUPS: Readonly<Record<HttpCacheName, (setup: Setup) => readonly string[]>> = {
  Varnish: ({ directory, port, node, graceSeconds }) => {
    const file = join(directory, 'stet.vcl')
    const text = readDeployed('varnish.vcl')
    writeFileSync(
      file,
      text
        .replace('.host = "127.0.0.1"', `.host = "${node.hostname}"`)
        .replace('4000', node.port)
        .replace('req.grace = 0s', `req.grace = ${graceSeconds}s`),
    )
    const listen = ['-a', `127.0.0.1:${port}`, '-f', file, '-n', join(directory, 'varnish')]
    return ['-F', '-j', 'none', '-s', 'malloc,16m', ...listen]
  },
  nginx: ({ directory, port, node }) => {
    const file = join(directory, 'nginx.conf')
    mkdirSync(join(directory, 'temp'))
    const text = readDeployed('nginx.conf')
      .replace('/var/cache/nginx/stet', join(directory, 'kept'))
      .replace('127.0.0.1:4000', node.host)
      .replace('listen 8080', `listen 127.0.0.1:${port}`)
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${directory}/temp/${name};`,
    )
    const isRoot = process.getuid?.() === 0
    writeFileSync(
      file,
      `daemon off; pid ${directory}/nginx.pid; error_log stderr; ${isRoot ? 'user root;' : ''} worker_processes 1;
      events {}
      http { access_log off; ${temp.join(' ')}\n${text} }`,
    )
    return ['-p', directory, '-c', file, '-e', 'stderr']
  },
}

const readDeployed = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url)), 'utf8')
