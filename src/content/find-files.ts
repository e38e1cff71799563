import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * The files below `folder` whose names match, relative to it with forward slashes, in the same order every time. Leaves
 * out node_modules, what starts with a dot, and linked folders, which could lead round in circles.
 */
export async function* findFiles(folder: string, name: RegExp, below = ''): AsyncGenerator<FoundFile> {
  const here = path.join(folder, below)
  const found = await readdir(here, { withFileTypes: true }).catch((error: Error) => error.message)
  if (typeof found === 'string') {
    yield { file: below, problem: `cannot be read: ${found}` }
    return
  }
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.posix.join(below, entry.name)
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    if (entry.isDirectory()) yield* findFiles(folder, name, file)
    else if (name.test(entry.name) && (entry.isFile() || (await isLinkedFile(path.join(here, entry.name)))))
      yield { file }
  }
}

export interface FoundFile {
  readonly file: string
  readonly problem?: string
}

async function isLinkedFile(file: string): Promise<boolean> {
  return stat(file).then(
    (target) => target.isFile(),
    () => false,
  )
}
