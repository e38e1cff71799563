import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

export function mayInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
}

/** Installs a package for its programs only: Debian would start its service too, were it not told otherwise. */
export function installDebianPackage(name: string): void {
  process.stderr.write(`servers: installing ${name} with apt-get, its service left off\n`)
  withoutServices(() => {
    if (aptGet('install', name).ok) return
    aptGet('update')
    const second = aptGet('install', name)
    if (!second.ok) throw new Error(`apt-get install ${name} failed:\n${second.output}`)
  })
}

function aptGet(...args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('apt-get', ['-y', '-q', '--no-install-recommends', ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 300_000,
  })
  return { ok: status === 0, output: `${stdout}\n${stderr}`.slice(-2000) }
}

/** Debian asks this script, if there is one, before it starts a service; 101 forbids it. */
const policy = '/usr/sbin/policy-rc.d'

function withoutServices(work: () => void): void {
  const alreadyDecided = existsSync(policy)
  if (!alreadyDecided) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    work()
  } finally {
    if (!alreadyDecided) rmSync(policy, { force: true })
  }
}
