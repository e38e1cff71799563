import { spawnSync } from 'node:child_process'

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** Whom to run PostgreSQL as: it refuses root. Undefined when we are not root and may run it ourselves. */
export function findPostgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf('-u', name)
    const gid = idOf('-g', name)
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error('PostgreSQL does not run as root, and this machine has no user named postgres or nobody')
}

function idOf(flag: string, name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}
