import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { codeBehind, codeFingerprints } from '../../scripts/code-fingerprints.mjs'

const ARTICLES = 'domain/articles/article-entries.ts'
const TAGS = 'domain/tags/tag-entries.ts'
const USERS = 'domain/users/user-entries.ts'
const ANSWERS = 'app/start-node.ts'
const ALL = [ANSWERS, ARTICLES, TAGS, USERS]

const now = codeFingerprints()

it('knows the code of each kind that Redis may hold, always the same', () => {
  expect(Object.keys(now)).toEqual(ALL)
  expect(codeFingerprints()).toEqual(now)
})

const lock = (path: string) =>
  ['package-lock.json', `"${path}": {\n      "version": "`, `"${path}": {\n      "version": "9`] as const

it.each([
  ['an option of the renderer', ['src/domain/markdown.ts', 'linkify: true', 'linkify: false'], [ANSWERS, ARTICLES]],
  ['the version of the sanitizer', lock('node_modules/sanitize-html'), [ANSWERS, ARTICLES]],
  [
    'the version of what the sanitizer parses with',
    lock('node_modules/sanitize-html/node_modules/htmlparser2'),
    [ANSWERS, ARTICLES],
  ],
  [
    'the SQL of lists, in a helper of another room',
    ['src/database/keyset.ts', 'row_number() over', 'rank() over'],
    ALL,
  ],
  ['a helper two imports away', ['src/database/read-as-of.ts', 'stet.as_of', 'stet.as_of_other'], ALL],
  ['how an injected pool reads numbers', ['src/database/pool.ts', 'oid === INT8_ARRAY', 'false'], ALL],
  [
    'which articles are in a list',
    ['src/domain/articles/article-list.ts', `'PUBLISHED'`, `'DRAFT'`],
    [ANSWERS, ARTICLES],
  ],
  ['the version of the driver', lock('node_modules/pg'), ALL],
  ['the version of what the driver parses with', lock('node_modules/pg-types'), ALL],
  ['a resolver', ['src/domain/articles/article-resolvers.ts', 'import ', 'console.log(); import '], [ANSWERS]],
  ['the schema', ['schema/articles.graphql', 'type Article', 'type Other'], [ANSWERS]],
  ['the version of the web server', lock('node_modules/fastify'), [ANSWERS]],
  ['a command', ['src/cli/cache/stats.ts', 'import ', 'console.log(); import '], []],
  ['the version of a tool', lock('node_modules/typescript'), []],
  ['a comment', ['src/domain/articles/render-markdown.ts', '/** ', '/** Also: '], []],
  ['a type', ['src/database/open-kysely.ts', 'readonly ms: number', 'readonly ms: number | bigint'], []],
])(
  'another version of %s is other code for what it makes, and for nothing else',
  (_what, [file, text, other], changed) => {
    const read = (path: string): string => {
      const is = readFileSync(path, 'utf8')
      if (path === file) expect(is).toContain(text)
      return path === file ? is.replaceAll(text, other) : is
    }
    const then = codeFingerprints(read)
    expect(ALL.filter((module) => then[module] !== now[module])).toEqual([...changed])
  },
)

const declares = /\.kind[<(]|\bcached(Rows|By|Ids|List)[<(]/
const declaring = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !/^(cache|database|kernel)\//.test(path))
  .filter((path) => declares.test(readFileSync(`src/${path}`, 'utf8')))
  .sort()

/** It runs in a thread, which its path leads to. */
const THREAD = 'domain/articles/rendering-thread-entry.ts'

/** Why a module that declares kinds needn't name its code. */
const EXEMPT: Readonly<Record<string, string>> = {
  'answers/encoded-answers.ts': 'Its kind stays in the memory of one process.',
  'answers/kept-answers.ts': 'It is given its code by `app/open-rooms.ts`, because all the code makes answers.',
  'graphql/operation/persisted-queries.ts': 'Each value is proved by the hash in its key.',
}

it('is asked for by each module that declares kinds', () => {
  expect(declaring).toEqual([...Object.keys(EXEMPT), ARTICLES, TAGS, USERS].sort())
  for (const module of [ARTICLES, TAGS, USERS]) {
    expect(readFileSync(`src/${module}`, 'utf8')).toContain(`codeOf('${module}')`)
  }
})

it.each([...declaring, THREAD])('covers all that the bundler puts behind %s', (module) => {
  const { files, packages } = codeBehind(module === THREAD ? ARTICLES : module)
  bundles ??= bundle([...declaring, THREAD])
  const bundled = bundles[module] ?? []
  expect(bundled).toContain(`src/${module}`)
  expect(bundled.filter((id) => !id.startsWith('node:') && !files.includes(id) && !packages.includes(id))).toEqual([])
})

let bundles: Readonly<Record<string, readonly string[]>> | undefined

/** The files and packages that rolldown needs of each module. In a process of its own: it takes no objects of Jest's realm. */
function bundle(modules: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const script = `
    import { relative } from 'node:path'
    import { rolldown } from 'rolldown'
    const bundles = {}
    for (const module of ${JSON.stringify(modules)}) {
      const bundle = await rolldown({ input: 'src/' + module, platform: 'node', treeshake: { moduleSideEffects: false }, external: (id) => /^[^./\\0]/.test(id) })
      const { output } = await bundle.generate({ codeSplitting: false })
      const used = output.flatMap(({ modules = {} }) => Object.keys(modules).filter((id) => modules[id].code))
      const ours = used.filter((id) => !id.includes('\\0')).map((id) => relative('.', id))
      bundles[module] = [...ours, ...output.flatMap(({ imports = [] }) => imports)]
    }
    console.log(JSON.stringify(bundles))`
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
}
