import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { CODE, PROJECT } from './project.ts'

/**
 * Names the code of a module and all that is behind it: what it imports, directly or not, the files of the project that it opens, and the versions
 * of packages. A kind of entry is made of it, so that no build reads what other code stored. Another name whenever any of it
 * changed; the same for every process that runs the same build. HAZARD: it knows nothing of functions in the database.
 *
 * From source it names all the source, whichever module is asked for.
 * @param module its path within `src`
 * @example cache.kind<number, number[]>({ name: 'comments-by-article', madeOf: [codeOf('domain/comments/comment-entries.ts')], … })
 */
export function codeOf(module: string): string {
  if (CODE.href.endsWith('/src/')) {
    source ??= hashSource()
    return source
  }
  built ??= JSON.parse(readFileSync(new URL('code.json', CODE), 'utf8')) as Record<string, string>
  const code = built[module]
  if (code === undefined) throw new Error(`dist/code.json says nothing of ${module}: build again.`)
  return code
}

let source: string | undefined
let built: Readonly<Record<string, string>> | undefined

function hashSource(): string {
  const hash = createHash('sha256')
  for (const path of ['package-lock.json', 'schema/', 'src/']) {
    const from = new URL(path, PROJECT)
    const names = path.endsWith('/') ? readdirSync(from, { recursive: true, encoding: 'utf8' }).sort() : ['']
    for (const name of names.filter((name) => !name || /\.(ts|graphql)$/.test(name))) {
      hash
        .update(`${path}${name}\0`)
        .update(readFileSync(new URL(name, from)))
        .update('\0')
    }
  }
  return hash.digest('base64url').slice(0, 16)
}
