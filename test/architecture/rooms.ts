import { readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The rooms of `src`, and which others each may know. From the top of the house to the bottom: a room knows only rooms that
 * stand further down. `kernel` needs no mention: every room may know it.
 */
export const ROOMS: Readonly<Record<string, string>> = {
  cli: 'app content domain/admin answers graphql/resolving identity worker database cache redis',
  app: `http metrics content domain/articles domain/users domain/tags domain/admin answers graphql graphql/operation
    graphql/resolving identity worker database invalidation cache redis`,
  http: 'metrics answers graphql graphql/operation graphql/resolving identity invalidation cache',
  metrics: 'graphql/resolving worker database invalidation cache redis',
  answers: 'graphql graphql/operation graphql/resolving identity database invalidation cache',
  graphql: 'graphql/operation graphql/execution graphql/schema graphql/resolving',
  'graphql/operation': 'graphql/schema graphql/resolving cache',
  'graphql/execution': '',
  'domain/articles': `domain/users domain/tags domain graphql/schema graphql/resolving identity worker database cache`,
  'domain/admin': 'graphql/schema graphql/resolving identity database invalidation cache',
  'domain/users': 'graphql/schema graphql/resolving identity database cache',
  'domain/tags': 'domain graphql/schema graphql/resolving identity database cache',
  'graphql/schema': 'graphql/resolving identity database',
  'graphql/resolving': 'identity database invalidation cache redis',
  identity: '',
  content: 'domain database',
  domain: '',
  worker: 'database redis',
  database: 'invalidation cache',
  invalidation: 'cache redis',
  cache: 'redis',
  redis: '',
  kernel: '',
}

/** Every file of these is a door. The others have one: `index.ts`. */
const OPEN = ['kernel', 'domain', 'app']

/** What the engine may use beside Node: it is imported by other APIs, so it needs next to nothing. */
const PACKAGES: Readonly<Record<string, string>> = {
  kernel: 'pino',
  redis: 'ioredis cockatiel',
  cache: 'ioredis msgpackr',
  invalidation: 'ioredis',
}

export interface Import {
  /** The file that imports, from the top of the project. */
  readonly from: string
  /** A file, or the name of a package. */
  readonly to: string
}

/** What one file imports, in whatever way: each text in it that reads like the path of a module, or stands where the name of one stands. */
export function importsOf(file: string, source: string): readonly Import[] {
  const code = source.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  const paths = [...code.matchAll(/(['"`])(\.{1,2}\/[^'"`\n]*\.[cm]?[jt]s)\1/g)].map(([, , path = '']) =>
    relative('.', resolve(dirname(file), path))
      .split(sep)
      .join('/'),
  )
  const packages = [
    ...code.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"`])((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:\/[\w./-]*)?\1/g),
  ].map(([, , name = '']) => name)
  return [...paths, ...packages].map((to) => ({ from: file, to }))
}

/** Says what is wrong with an import. Undefined if nothing is. */
export function whyForbidden({ from, to }: Import): string | undefined {
  const room = roomOf(from)
  const allowed = ROOMS[room]
  if (allowed === undefined) return `${from} stands in no room: a file of src belongs in a folder that is listed.`
  if (to === 'stet') return `${from} imports this package by its name: a room is known by its door.`
  if (!to.includes('/') || to.startsWith('@')) {
    const packages = PACKAGES[room]?.split(' ')
    return !packages || packages.includes(to)
      ? undefined
      : `${from} imports ${to}: ${room} needs only ${packages.join(', ')}.`
  }
  if (!to.startsWith('src/')) return `${from} imports ${to}: what runs knows nothing outside of src.`
  const other = roomOf(to)
  if (other === room) return undefined
  if (other !== 'kernel' && !allowed.split(/\s+/).includes(other)) {
    return `${from} imports ${to}: ${room} may know ${allowed ? `only kernel, ${allowed.split(/\s+/).join(', ')}` : 'only kernel'}.`
  }
  if (!OPEN.includes(other) && to !== `src/${other}/index.ts`) {
    return `${from} imports ${to}: the door of ${other} is its index.ts.`
  }
  return undefined
}

/** The folder that a file stands in, as far as folders are rooms: `graphql` and `domain` have rooms within. */
export function roomOf(file: string): string {
  const [, first = '', second = '', third] = file.split('/')
  const inner = `${first}/${second}`
  return third !== undefined && inner in ROOMS ? inner : first
}

/** All imports between files of `src`, without its tests. */
export function readImports(): readonly Import[] {
  const root = fileURLToPath(new URL('../../src/', import.meta.url))
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((name) => importsOf(`src/${name.split(sep).join('/')}`, readFileSync(`${root}${name}`, 'utf8')))
}

/** The house as lines of text: each floor's rooms, and what each of them imports. Whatever a room imports stands on a lower floor. */
export function drawHouse(imports: readonly Import[]): string {
  const below = new Map(Object.keys(ROOMS).map((room) => [room, new Set<string>()]))
  for (const { from, to } of imports) {
    if (to.startsWith('src/') && roomOf(to) !== roomOf(from)) below.get(roomOf(from))?.add(roomOf(to))
  }
  const floorOf = (room: string): number => Math.max(-1, ...[...(below.get(room) ?? [])].map(floorOf)) + 1
  const width = Math.max(...[...below.keys()].map((room) => room.length))
  return [...below]
    .map(([room, known]) => ({ room, floor: floorOf(room), known: [...known].filter((it) => it !== 'kernel').sort() }))
    .sort((a, b) => b.floor - a.floor || a.room.localeCompare(b.room))
    .map(({ room, floor, known }) =>
      `${String(floor).padStart(2)}  ${room.padEnd(width)}  ${known.join(' ')}`.trimEnd(),
    )
    .join('\n')
}
