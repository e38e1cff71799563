import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { type ConstDirectiveNode, Kind, parse, print } from 'graphql'
import { type Block, blocks } from './blocks.ts'
import { schema } from './why-invalid.ts'

/**
 * Blocks of code that don't name a file. Those that name one are run: `examples/` by test/integration/examples.test.ts, and what
 * docs/adding-a-table.md adds by adding-a-table.test.ts. Shell commands are checked in shell.test.ts.
 */
const excerpts = blocks.filter(
  ({ file, language, path }) =>
    file !== 'docs/adding-a-table.md' && path === undefined && !['', 'text', 'mermaid', 'sh'].includes(language),
)

/** What stands around an excerpt so that it is a whole: by the document, and by how the excerpt begins. */
const FRAMES: readonly Frame[] = [
  {
    file: 'docs/strategies.md',
    start: 'const articles = cache.kind',
    frame: (code) => `import { type Cache, type Load, rowTag } from 'stet/cache'
      declare const cache: Cache
      declare const load: Load<number, object>
      ${code}`,
  },
  {
    file: 'docs/strategies.md',
    start: '{',
    frame: (code) => (code.startsWith('{\n') ? explanation(code) : options(code)),
  },
  {
    file: 'docs/importing.md',
    start: '{ "file"',
    frame: (code) => `import type { ImportReport, Outcome } from 'repository/src/content/index.ts'
      const lines: [Outcome, { summary: Partial<ImportReport> }] = [${code.trim().split('\n').join(', ')}]
      void lines`,
  },
  {
    file: 'docs/answers.md',
    start: 'context.',
    frame: (code) => `import type { Context } from 'repository/src/graphql/resolving/index.ts'
      declare const context: Context
      ${code}`,
  },
  {
    file: 'docs/using-the-engine.md',
    start: "import { it } from 'node:test'",
    frame: (code) => `import type { RemoteTier } from 'stet/cache'
      declare class MyStore { close(): Promise<void> }
      declare const MyTier: new (store: MyStore) => RemoteTier
      ${code}`,
  },
  {
    file: 'docs/what-survives-what.md',
    start: 'export default [',
    frame: (code) => `import { scenario } from 'repository/test/chaos/scenario.ts'
      import { plainServers } from 'repository/test/chaos/servers/plain-servers.ts'
      ${code}`,
  },
  {
    file: 'docs/write-behind.md',
    start: 'const likes: QueueKind',
    frame: (code) => `import { sql } from 'kysely'
      import type { QueueKind, Worker } from 'repository/src/worker/index.ts'
      declare const worker: Worker
      declare const countById: (ids: readonly number[]) => ReadonlyMap<number, number>
      ${code}`,
  },
]

interface Frame {
  readonly file: string
  readonly start: string
  readonly frame: (code: string) => string
}

/** Options of a kind, a line each. */
const options = (code: string) => `import { columnTag, type KindDefinition } from 'stet/cache'
  declare const selectionQuery: string
  declare const selectionTags: string
  declare function check(options: Partial<KindDefinition<string, object>>): void
  ${code.replace(/^(\{.*?\})(?: *\/\/.*)?$/gm, 'check($1)')}`

/** Not all of one: that would be long. */
const explanation = (code: string) => `import type { Explanation } from 'repository/src/answers/explanation.ts'
  type Part<T> = T extends readonly (infer Item)[] ? readonly Part<Item>[] : T extends object ? { [K in keyof T]?: Part<T[K]> } : T
  export const it: Part<Explanation> = ${code}`

it('shows JavaScript, TypeScript and JSON that the types agree with', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stet-docs-'))
  try {
    const files = excerpts
      .filter(({ language }) => ['js', 'ts', 'json'].includes(language))
      .map(async (block) => {
        const name = `${block.file.replace(/\W/g, '-')}-${block.line}.ts`
        await writeFile(join(directory, name), framed(block))
        return name
      })
    await symlink(resolve('node_modules'), join(directory, 'node_modules'))
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(configuration(await Promise.all(files))))
    const { stdout } = await promisify(execFile)('node_modules/.bin/tsc', ['-p', directory]).catch((error) => error)
    expect(stdout).toBe('')
  } finally {
    await rm(directory, { recursive: true })
  }
})

function framed(block: Block): string {
  const found = FRAMES.find(({ file, start }) => file === block.file && block.code.startsWith(start))
  if (!found) throw new Error(`${block.file}:${block.line} is neither run nor checked: give it a frame here`)
  return `${found.frame(block.code)}\nexport {}\n`
}

const configuration = (files: readonly string[]) => ({
  extends: resolve('tsconfig.json'),
  compilerOptions: {
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    paths: {
      'stet/cache': [resolve('src/cache/index.ts')],
      'stet/cache/contract': [resolve('src/cache/remote/remote-tier.contract.ts')],
      'repository/*': [resolve('*')],
    },
  },
  include: [],
  files,
})

it.each(excerpts.filter(({ language }) => language === 'graphql'))('$file:$line agrees with the schema', ({ code }) => {
  for (const definition of parse(code.replaceAll('{ … }', '')).definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) throw new Error(`nothing here checks a ${definition.kind}`)
    const ours = schema.getType(definition.name.value)?.astNode
    if (ours?.kind !== Kind.OBJECT_TYPE_DEFINITION) throw new Error(`there is no type ${definition.name.value}`)
    expect(directivesOf(definition)).toEqual(directivesOf(ours))
    for (const field of definition.fields ?? []) {
      const same = ours.fields?.find(({ name }) => name.value === field.name.value)
      expect([print(field.type), directivesOf(field)]).toEqual([same && print(same.type), same && directivesOf(same)])
    }
  }
})

/** Without prices, which every field has. */
const directivesOf = ({ directives = [] }: { readonly directives?: readonly ConstDirectiveNode[] }) =>
  directives.map(print).filter((directive) => !/^@(cost|listSize)\b/.test(directive))

it('shows nothing in a language that no test knows', () => {
  const known = ['js', 'ts', 'json', 'graphql']
  expect(excerpts.filter(({ language }) => !known.includes(language))).toEqual([])
})
