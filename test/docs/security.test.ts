import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'

const page = readFileSync('docs/security.md', 'utf8')

describe.each(['OWASP API Security Top 10 (2023)', "OWASP's GraphQL cheat sheet", 'Threats'])('%s', (section) => {
  const rows = rowsOf(section)

  it('says what Stet does about each item, and names tests that exist', () => {
    for (const [item, deed, tests = ''] of rows) {
      expect([item, deed]).not.toContain('')
      const paths = [...tests.matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? '')
      expect([item, paths.length > 0, paths.filter((path) => !existsSync(path))]).toEqual([item, true, []])
    }
  })
})

it('leaves out none of the ten', () => {
  const numbers = rowsOf('OWASP API Security Top 10 (2023)').map(([item]) => item?.split(' ')[0])
  expect(numbers).toEqual(Array.from({ length: 10 }, (_, index) => `API${index + 1}`))
})

it('names no test that is gone', () => {
  const paths = [...page.matchAll(/\b(?:test|src)\/[\w./-]+\.test\.ts/g)].map(([path]) => path)
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
  expect(paths.length).toBeGreaterThan(20)
})

it('allows Redis what the reference says', () => {
  const [, rules] = readFileSync('deploy/secrets/redis_users.acl', 'utf8').match(/^user stet on #\w+ (.*)$/m) ?? []
  expect(readFileSync('docs/reference.md', 'utf8')).toContain(`ACL SETUSER stet on >password ${rules}\n`)
})

/** The rows of a section's table, without its head. */
function rowsOf(section: string): readonly (readonly string[])[] {
  const [, text = ''] = page.split(`## ${section}\n`)
  const lines = (text.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}
