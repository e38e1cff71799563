// Writes the resolver types from schema/*.graphql. `--check` only says whether they are up to date.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { codegen } from '@graphql-codegen/core'
import * as typescript from '@graphql-codegen/typescript'
import * as resolvers from '@graphql-codegen/typescript-resolvers'
import { parse } from 'graphql'

const target = new URL('../src/graphql/schema/resolvers.generated.ts', import.meta.url)
const folder = new URL('../schema/', import.meta.url)
const files = (await readdir(folder)).filter((name) => name.endsWith('.graphql')).sort()
const documents = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')))

const generated = await codegen({
  filename: 'resolvers.generated.ts',
  schema: parse(documents.join('\n')),
  documents: [],
  plugins: [{ typescript: {} }, { resolvers: {} }],
  pluginMap: { typescript, resolvers },
  config: {
    contextType: '../resolving/index.ts#Context',
    useTypeImports: true,
    importExtension: '',
    enumsAsTypes: true,
    defaultScalarType: 'unknown',
    scalars: { DateTime: { input: 'string', output: 'Date' }, ID: { input: 'string', output: 'string | number' } },
    mappers: {
      Article: './models.ts#Article as ArticleModel',
      User: './models.ts#User as UserModel',
      Tag: './models.ts#Tag as TagModel',
      ArticleConnection: '../resolving/index.ts#Connection<ArticleModel>',
      UserConnection: '../resolving/index.ts#Connection<UserModel>',
      TagConnection: '../resolving/index.ts#Connection<TagModel>',
      ArticlePayload: './models.ts#Written as WrittenModel',
      UserPayload: './models.ts#Written as WrittenModel',
      TagPayload: './models.ts#Written as WrittenModel',
    },
    maybeValue: 'T | null | undefined',
    inputMaybeValue: 'T | null | undefined',
  },
})
const text = `// Made by \`npm run generate\` from schema/*.graphql: do not edit.\n/* biome-ignore-all lint: generated */\n/* biome-ignore-all format: generated */\n/* biome-ignore-all assist: generated */\n${generated}`

if (!process.argv.includes('--check')) {
  await writeFile(target, text)
} else if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
  console.error('src/graphql/schema/resolvers.generated.ts is not what schema/ says: run `npm run generate`.')
  process.exit(1)
}
