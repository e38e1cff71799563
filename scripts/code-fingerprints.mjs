// Names the code that makes what is cached, for `codeOf` in src/kernel/code-of.ts. The bundler writes it to dist/code.json.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { minifySync, parseSync, transformSync } from 'rolldown/utils'

/**
 * A fingerprint for each module that `codeOf` is asked for anywhere in `src`. Two builds of the same code have the same.
 *
 * @param {(path: string) => string} read the text of a file, by its path in the project
 * @returns {Record<string, string>} by the path of the module within `src`
 */
export function codeFingerprints(read = readProject) {
  const graph = new ModuleGraph(read)
  const lock = JSON.parse(read('package-lock.json')).packages
  const modules = listFiles('src/')
    .filter((file) => isCode(file) && read(file).includes('codeOf('))
    .flatMap((file) => [...graph.codeIn(file).matchAll(/\bcodeOf\(["'`]([^"'`]+)["'`]\)/g)].map(([, module]) => module))
  return Object.fromEntries(
    [...new Set(modules)].sort().map((module) => {
      const { files, packages } = graph.behind(`src/${module}`)
      const hash = createHash('sha256')
      for (const file of files) hash.update(`${file}\0${graph.codeIn(file)}\0`)
      for (const locked of lockedBehind(packages, lock)) hash.update(`${locked}\0`)
      return [module, hash.digest('base64url').slice(0, 16)]
    }),
  )
}

/**
 * What is behind a module, in the order of its name: the files of the project, itself among them, and the packages. The name of a type is followed
 * as well: it leads to the code of a value that is injected. An import through a door (a file that only hands on) leads to
 * the file that has what is imported, not to all that is behind the door.
 */
export function codeBehind(module) {
  return new ModuleGraph(readProject).behind(`src/${module}`)
}

class ModuleGraph {
  #read
  #modules = new Map()
  #code = new Map()

  constructor(read) {
    this.#read = read
  }

  behind(start) {
    const files = new Set()
    const packages = new Set()
    const visit = (file) => {
      if (files.has(file)) return
      files.add(file)
      if (!isCode(file)) return
      const { imports, opened } = this.#module(file)
      for (const path of opened) visit(path)
      for (const { from, name } of imports) {
        if (from.startsWith('.')) visit(this.#ownerOf(resolve(file, from), name))
        else packages.add(packageOf(from))
      }
    }
    visit(start)
    return { files: [...files].sort(), packages: [...packages].sort() }
  }

  /** What can change a value: of TypeScript neither types, nor comments, nor how it is laid out. */
  codeIn(file) {
    let code = this.#code.get(file)
    if (code === undefined) {
      code = this.#read(file)
      if (isCode(file)) {
        code = minifySync(file, transformSync(file, code).code, { compress: false, mangle: false }).code
      }
      this.#code.set(file, code)
    }
    return code
  }

  #ownerOf(file, name) {
    const { handedOn, isDoor } = this.#module(file)
    const found = isDoor ? handedOn.find((it) => it.as === name) : undefined
    return found ? this.#ownerOf(resolve(file, found.from), found.name) : file
  }

  #module(file) {
    let module = this.#modules.get(file)
    if (!module) {
      module = parseModule(file, this.#read(file))
      this.#modules.set(file, module)
    }
    return module
  }
}

function parseModule(file, text) {
  const { program, module, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} doesn't parse: ${errors[0].message}`)
  const imported = module.staticImports.flatMap(({ moduleRequest, entries }) =>
    // Without names it is imported for what it does.
    (entries.length > 0 ? entries : [{ importName: {} }]).map(({ importName }) => ({
      from: moduleRequest.value,
      name: importName.name,
    })),
  )
  const handedOn = module.staticExports
    .flatMap(({ entries }) => entries)
    .filter(({ moduleRequest }) => moduleRequest)
    .map(({ moduleRequest, importName, exportName }) => ({
      from: moduleRequest.value,
      name: importName.name,
      as: exportName.name,
    }))
  const loaded = module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({
    from: text.slice(start + 1, end - 1),
  }))
  const isDoor = program.body.every(({ type, source }) => type === 'ExportNamedDeclaration' && source)
  return {
    imports: [...imported, ...handedOn, ...loaded].filter(({ from }) => !from.startsWith('node:')),
    handedOn,
    isDoor,
    opened: [...text.matchAll(/new URL\('([^']+)', PROJECT\)/g)].flatMap(([, path]) => filesAt(path)),
  }
}

/**
 * The files that a module opens: `new URL('schema/', PROJECT)`. Of `dist` the source that is built into it; the playground has no
 * part in what is cached.
 */
function filesAt(path) {
  if (path.startsWith('dist/'))
    return listFiles('src/').filter((file) => path === `dist/${posix.basename(file, '.ts')}.js`)
  return statSync(new URL(path, ROOT)).isDirectory() ? listFiles(path) : [path]
}

/** Name, version and content of packages and of all that they depend on, as `package-lock.json` has them. */
function lockedBehind(packages, lock) {
  const found = new Map()
  const visit = (name, dependent) => {
    const path = placeOf(name, dependent, lock)
    if (path === undefined || found.has(path)) return
    const { version, integrity, dependencies, optionalDependencies, peerDependencies } = lock[path]
    found.set(path, `${path}@${version} ${integrity}`)
    const needed = { ...dependencies, ...optionalDependencies, ...peerDependencies }
    for (const dependency of Object.keys(needed)) visit(dependency, path)
  }
  for (const name of packages) visit(name, '')
  return [...found.values()].sort()
}

/** Where Node finds a package: beside the one that needs it, or further up. */
function placeOf(name, dependent, lock) {
  for (let folder = dependent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const path = posix.join(folder, 'node_modules', name)
    if (path in lock) return path
    if (folder === '') return undefined
  }
}

const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const resolve = (file, specifier) => posix.join(posix.dirname(file), specifier)

const isCode = (file) => file.endsWith('.ts')

const ROOT = new URL('../', import.meta.url)

function readProject(path) {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

function listFiles(folder) {
  const names = readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
  return names
    .map((name) => folder + name)
    .filter((path) => !path.endsWith('.test.ts') && statSync(new URL(path, ROOT)).isFile())
    .sort()
}
