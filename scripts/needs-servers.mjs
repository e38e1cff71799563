import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Whether a suite needs PostgreSQL or Redis: its imports, or theirs, lead to `test/harness/test-run.ts`, which says where they are.
 *
 * @param {string} suite path of a test file, from the root of the repository
 */
export function needsServers(suite) {
  return filesBehind(resolve(suite)).has(resolve('test/harness/test-run.ts'))
}

/** A file and all files of ours that it imports, directly or not. Imports of types count as well. */
export function filesBehind(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(file)) return seen
  seen.add(file)
  for (const imported of importsOf(file)) filesBehind(imported, seen)
  return seen
}

const known = new Map()

function importsOf(file) {
  const imported = known.get(file) ?? readImports(file)
  known.set(file, imported)
  return imported
}

/** Imports as Biome formats them: each ends a line that begins with `import`, `export` or the `}` of a longer one. */
const readImports = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/^(?:import|export|\})[^'\n]*'(\.{1,2}\/[^'\n]+)'$/gm)].map(([, path]) =>
    resolve(dirname(file), path),
  )
