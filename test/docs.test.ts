import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Command } from 'commander'
import { options } from '../src/app/config.ts'
import { program } from '../src/cli/program.ts'
import { errorCodes } from '../src/kernel/errors.ts'
import { Metrics } from '../src/metrics/metrics.ts'
import { DOCUMENTS } from './docs/blocks.ts'

const reference = readFileSync('docs/reference.md', 'utf8')

it('documents every option, with its default and unit', () => {
  for (const { variable, default: byDefault, unit = '', about } of Object.values(options)) {
    const value = byDefault === undefined ? '' : `\`${byDefault}\``
    expect(reference).toContain(`| \`${variable}\` | ${value} | ${unit} | ${about} |`)
  }
  expect(firstCells('Options')).toHaveLength(Object.keys(options).length)
})

it('documents every error code', () => {
  for (const [code, about] of Object.entries(errorCodes)) expect(reference).toContain(`| \`${code}\` | ${about} |`)
  expect(firstCells('Error codes')).toEqual(Object.keys(errorCodes))
})

it('documents every metric', async () => {
  const metrics = await new Metrics().registry.getMetricsAsJSON()
  const ours = metrics.filter(({ name }) => name.startsWith('stet_'))
  for (const { name, type, help } of ours) {
    const row = reference.split('\n').find((line) => line.startsWith(`| \`${name}\` | ${type} |`))
    expect(row?.split(' | ').at(-1)).toBe(`${help} |`)
  }
  expect(firstCells('Metrics').sort()).toEqual(ours.map(({ name }) => name).sort())
})

it('documents every command', () => {
  const words = (cell: string) => cell.split(/ (?=[<[-])/, 1)[0]
  expect(firstCells('Commands').map(words)).toEqual(commandsOf(program))
})

describe.each(DOCUMENTS)('%s', (file) => {
  const text = readFileSync(file, 'utf8')

  it('has no dead link', () => {
    const links = [...text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)].filter(([, target]) => !target?.startsWith('http'))
    const dead = links.filter(([, target, heading]) => {
      const path = target ? join(dirname(file), target) : file
      return !existsSync(path) || (heading !== undefined && !headingsOf(path).includes(heading))
    })
    expect(dead.map(([link]) => link)).toEqual([])
  })

  it('names only files that exist', () => {
    const paths = [...text.matchAll(/`((?:\.ci|\.github|[a-z]+)\/[\w./-]*)`/g)].map(([, path]) => path ?? '')
    const ours = paths.filter((path) => existsSync(path.split('/')[0] ?? ''))
    expect(ours.filter((path) => !existsSync(path))).toEqual([])
  })
})

/** Every command that does something: the commands of a group instead of the group. */
function commandsOf(command: Command): string[] {
  const name = command === program ? '' : command.name()
  if (command.commands.length === 0) return [name]
  return command.commands.flatMap((each) => commandsOf(each).map((words) => `${name} ${words}`.trim()))
}

/** What stands in the first column of a section's tables, in back-ticks. */
function firstCells(section: string): string[] {
  const [, text = ''] = reference.split(`## ${section}\n`)
  const [ours = ''] = text.split('\n## ')
  return [...ours.matchAll(/^\| `([^`]+)`/gm)].map(([, cell]) => cell ?? '')
}

/** What a link may have behind `#`, as GitHub makes it of a document's headings. */
function headingsOf(path: string): string[] {
  const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading ?? '')
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
