import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Command } from 'commander'
import { parse } from 'graphql'
import { options, readConfig } from '../src/app/config.ts'
import { memoryBounds } from '../src/app/memory-bounds.ts'
import type { Entry } from '../src/cache/entry.ts'
import { MemoryTier } from '../src/cache/memory/memory-tier.ts'
import { program } from '../src/cli/program.ts'
import { shrink } from '../src/graphql/operation/document-store.ts'
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

it('documents what fits in which memory', () => {
  const MB = 2 ** 20
  const fields = Array.from({ length: 20 }, (_, index) => `field${index}`).join(' ')
  const document = shrink(parse(`query Q($id: ID!) { article(id: $id) { ${fields} } }`))
  const memory = new MemoryTier({ maxBytes: MB })
  memory.set(articleOf2KB())
  for (const [container, old] of [
    [320, 160],
    [512, 320],
    [1024, 640],
    [2048, 1280],
    [4096, 2048],
  ] as const) {
    // Three semi-spaces of 16 MB come on top.
    const sizes = { heap: (old + 48) * MB, whole: container * MB }
    const { entries, mostEntries, documents, bodies, unread, warnings } = memoryBounds(readConfig({}), sizes)
    const inMb = [entries, mostEntries, documents, bodies, unread].map((bytes) => Math.round(bytes / MB))
    const fits = [entries / memory.bytes, mostEntries / memory.bytes, documents / document].map((count) =>
      thousands(Math.floor(count / 100) * 100),
    )
    expect([container, warnings]).toEqual([container, []])
    expect(reference).toContain(`| ${[container, old, ...inMb, ...fits].join(' | ')} |`)
  }
})

const thousands = (count: number): string => count.toLocaleString('en')

const articleOf2KB = (): Entry => ({
  key: 'stet:1:article.GXYDPB_A:1',
  epoch: 'e',
  asOf: 1,
  tags: ['articles:1', 'article_tags:article_id=1'],
  value: {
    id: 1,
    slug: 'one',
    title: 'x'.repeat(60),
    summary: 'x'.repeat(200),
    body: 'x'.repeat(1700),
    author_id: 1,
    tag_ids: [1, 2],
  },
  storedAtMs: 1,
  staleAtMs: 1,
  loadMs: 1.5,
  marks: undefined,
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
