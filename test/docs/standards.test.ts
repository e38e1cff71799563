import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

const page = readFileSync('docs/standards.md', 'utf8')
const rows = [...page.matchAll(/^\| (.+) \| (.+) \| (`test\/.+`) \|$/gm)].map(([, section = '', , tests = '']) => ({
  section,
  tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
}))

it('names tests that exist', () => {
  expect(rows.length).toBeGreaterThan(30)
  for (const { section, tests } of rows) {
    expect([section, tests.length > 0, tests.filter((path) => !existsSync(path))]).toEqual([section, true, []])
  }
})

it('names no section that no test begins with', () => {
  const missing = rows.flatMap(({ section, tests }) => {
    const source = tests.map((path) => readFileSync(path, 'utf8')).join('\n')
    const numbers = [...section.replace(/^\d{4}, /, '').matchAll(/(?:^|, )(\d+(?:\.\d+)*)/g)].map(
      ([, number = '']) => number,
    )
    return numbers.filter((number) => !titles(source).some((title) => covers(title, number)))
  })
  expect(missing).toEqual([])
})

/** Texts that begin with a section, as the titles of tests and rows do. */
const titles = (source: string): string[] =>
  [...source.matchAll(/['`](\d+(?:\.\d+)*(?:[–,]\s?\d+(?:\.\d+)*)*)[ :]/g)].map(([, title = '']) => title)

/** `2.1–2.8` covers 2.4, and `15.5.6` covers 15.5. */
function covers(title: string, number: string): boolean {
  const [from, to] = title.split('–')
  if (from && to) return compare(from, number) <= 0 && compare(number, to) <= 0
  return title.split(/,\s?/).some((it) => it === number || it.startsWith(`${number}.`))
}

const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })
