import { accessSync, constants, existsSync, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** The directory that holds PostgreSQL's programs; the newest, if PATH names none. */
export function findPostgresBinaries(): string | undefined {
  const onPath = findOnPath('postgres')
  // A package may put just some programs on PATH, and wrappers in place of others: the rest stand beside the real one.
  const candidates = onPath ? [dirname(realpathSync(onPath)), ...debianDirectories()] : debianDirectories()
  return candidates.find((directory) =>
    ['initdb', 'postgres', 'pg_basebackup'].every((program) => isProgram(join(directory, program))),
  )
}

export function findRedisBinary(): string | undefined {
  return findOnPath('redis-server') ?? findOnPath('valkey-server')
}

function debianDirectories(): readonly string[] {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return []
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(root, version, 'bin'))
}

export function findOnPath(program: string): string | undefined {
  const files = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, program))
  return files.find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
