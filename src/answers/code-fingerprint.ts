import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CODE, PROJECT } from '../kernel/project.ts'

/** Names the code that runs: every file of it, the schema, and `package.json`, which says what it uses. Another deploy has another one. */
export function codeFingerprint(): string {
  const hash = createHash('sha256')
  const add = (path: string) => hash.update(path).update('\0').update(readFileSync(path)).update('\0')
  for (const folder of [CODE, new URL('schema/', PROJECT)]) {
    const root = fileURLToPath(folder)
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => SOURCES.test(name))
    for (const name of files.sort()) add(join(root, name))
  }
  add(fileURLToPath(new URL('package.json', PROJECT)))
  return hash.digest('base64url').slice(0, 16)
}

/** The page's own code, which stands beside what was built, has no part in an answer. */
const SOURCES = /^(?!playground\/|types\/).*\.(ts|js|graphql)$/
