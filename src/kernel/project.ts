import { existsSync } from 'node:fs'

/** The project's folder: the nearest one above this file that has a `package.json`. It holds `migrations`, `schema` and `sql`. */
export const PROJECT = findProject(new URL('./', import.meta.url))

/** The folder of the code that runs: `src/`, or `dist/` if it was built. */
export const CODE = new URL(`${import.meta.url.slice(PROJECT.href.length).split('/')[0]}/`, PROJECT)

function findProject(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder
  const above = new URL('../', folder)
  if (above.href === folder.href) throw new Error('There is no package.json above the code of Stet.')
  return findProject(above)
}
