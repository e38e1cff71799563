import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import type { Command } from 'commander'
import { program } from '../../src/cli/program.ts'
import { blocks } from './blocks.ts'
import { whyInvalid } from './why-invalid.ts'

/** Shell commands name programs, scripts, commands, options, files and fields that exist. They are not run. */
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ file, code }) => commandsOf(code).map((words) => ({ file, words, told: words.join(' ') })))

it.each(commands)('$file: $told', async ({ words }) => {
  const [name = '', ...rest] = words
  const check = PROGRAMS[name]
  if (!check) throw new Error(`nothing here knows ${name}`)
  await check(rest)
})

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: Record<string, string> }

const PROGRAMS: Readonly<Record<string, (words: readonly string[]) => unknown>> = {
  npm: checkNpm,
  stet: checkStet,
  curl: (words) => words.forEach(checkSent),
  echo: (words) => checkManifest(words[0] ?? ''),
  docker: (words) => {
    expect(words.slice(0, 2)).toEqual(['compose', 'up'])
    expect(existsSync('docker-compose.yml')).toBe(true)
  },
}

async function checkNpm(words: readonly string[]): Promise<void> {
  const [verb = '', ...rest] = words.filter((word) => word !== '--silent' && word !== '-s')
  if (verb === 'ci') return
  const isRun = verb === 'run'
  const [script = '', separator, ...given] = isRun ? rest : [verb, ...rest]
  expect(Object.keys(scripts)).toContain(script)
  expect([undefined, '--']).toContain(separator)
  if (script === 'stet') await checkStet(given)
  if (script.startsWith('test'))
    expect(given.filter((word) => /^(src|test)\//.test(word) && !isPartOfSuites(word))).toEqual([])
}

const isPartOfSuites = (path: string) => existsSync(path) || existsSync(`${path}.test.ts`)

/** Commander reads the words as it would if they were typed. What they would do is not done. */
async function checkStet(words: readonly string[]): Promise<void> {
  await program.parseAsync(words, { from: 'user' }).catch((error) => {
    if (error.exitCode !== 0) throw error
  })
}

for (const command of allCommands(program))
  command.action(() => {}).configureOutput({ writeOut: () => {}, writeErr: () => {} })

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

/** Whatever of it is sent to `/graphql`: a body, or a URL. */
function checkSent(word: string): void {
  const query = word.startsWith('http')
    ? new URL(word).searchParams.get('query')
    : word.startsWith('{')
      ? JSON.parse(word).query
      : undefined
  if (query) expect(whyInvalid(query)).toEqual([])
}

function checkManifest(json: string): void {
  for (const document of Object.values(JSON.parse(json))) expect(whyInvalid(String(document))).toEqual([])
}

/** The words of each command, without assignments before it and without where its output goes. */
function commandsOf(code: string): string[][] {
  return code
    .replaceAll('\\\n', ' ')
    .split(/\n|&&/)
    .map((line) => line.replace(/ > \S+$/, ''))
    .map((line) =>
      [...line.matchAll(/(?:\$\([^)]*\)|'[^']*'|"(?:\\.|[^"])*"|[^\s'"])+/g)].map(([word]) => unquote(word)),
    )
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter(([first]) => first !== undefined && !/^[A-Z_]+=/.test(first))
}

function unquote(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\.|[^"])*)"/g,
    (_all, single, double) => single ?? double.replace(/\\(.)/g, '$1'),
  )
}
