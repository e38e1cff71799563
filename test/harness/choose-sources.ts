import { dockerAnswers } from './docker-answers.ts'
import { findPostgresBinaries, findRedisBinary } from './find-binaries.ts'
import { installDebianPackage, mayInstallPackages } from './install-debian-package.ts'

/** How we start a server ourselves. `path` is a program, or for PostgreSQL the directory of its programs. */
export type Means = { readonly kind: 'binaries'; readonly path: string } | { readonly kind: 'containers' }

export interface ServerSource {
  /** The server that all tests share. */
  readonly shared: Means | { readonly kind: 'given'; readonly url: string; readonly variable: string }
  /** Servers of a test's own, to be killed and paused. Undefined where nothing on this machine can start one. */
  readonly own: Means | undefined
}

/** Decides where PostgreSQL and Redis come from, installing them only if there is no other way. */
export async function chooseSources(): Promise<{ readonly postgres: ServerSource; readonly redis: ServerSource }> {
  return { postgres: await choose(postgres), redis: await choose(redis) }
}

export function describe(source: ServerSource): string {
  switch (source.shared.kind) {
    case 'given':
      return `from ${source.shared.variable}`
    case 'containers':
      return 'in Docker'
    case 'binaries':
      return `from binaries on this machine (${source.shared.path})`
    default:
      return source.shared satisfies never
  }
}

interface Kind {
  readonly name: string
  readonly variable: string
  readonly programs: string
  readonly debianPackage: string
  readonly find: () => string | undefined
}

const postgres: Kind = {
  name: 'PostgreSQL',
  variable: 'TEST_DATABASE_URL',
  programs: 'initdb, postgres and pg_basebackup on PATH or in /usr/lib/postgresql/*/bin',
  debianPackage: 'postgresql',
  find: findPostgresBinaries,
}

const redis: Kind = {
  name: 'Redis',
  variable: 'TEST_REDIS_URL',
  programs: 'redis-server or valkey-server on PATH',
  debianPackage: 'redis-server',
  find: findRedisBinary,
}

async function choose(kind: Kind): Promise<ServerSource> {
  const url = process.env[kind.variable]
  const binaries = asMeans(kind.find())
  // Binaries are quicker to kill and start again than containers.
  if (url) return { shared: { kind: 'given', url, variable: kind.variable }, own: binaries ?? (await containers()) }
  const shared = (await containers()) ?? binaries ?? install(kind)
  if (!shared) throw new Error(adviceOn(kind))
  return { shared, own: binaries ?? shared }
}

function asMeans(path: string | undefined): Means | undefined {
  return path === undefined ? undefined : { kind: 'binaries', path }
}

async function containers(): Promise<Means | undefined> {
  return (await dockerAnswers()) ? { kind: 'containers' } : undefined
}

function install(kind: Kind): Means | undefined {
  if (!mayInstallPackages()) return undefined
  installDebianPackage(kind.debianPackage)
  return asMeans(kind.find())
}

function adviceOn(kind: Kind): string {
  return [
    `The tests need ${kind.name} and found none. Any one of these will do:`,
    `  - ${kind.variable} set to the URL of a server the tests may use`,
    '  - a running Docker daemon',
    `  - ${kind.programs}`,
    `  - root on Debian or Ubuntu, where the tests run "apt-get install ${kind.debianPackage}" themselves`,
  ].join('\n')
}
