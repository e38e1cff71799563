import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

it('every export of stet/cache has an example in its docstring', () => {
  const door = new URL('../../src/cache/index.ts', import.meta.url)
  const lines = [...readFileSync(door, 'utf8').matchAll(/export (?:type )?\{([^}]*)\} from '([^']*)'/g)]
  const without = lines.flatMap(([, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '' && !docstringOf(name, new URL(from, door)).includes('@example')),
  )
  expect(lines.length).toBeGreaterThan(5)
  expect(without).toEqual([])
})

/** The comment that stands before the declaration of `name`. If another file declares it, that one's. */
function docstringOf(name: string, file: URL): string {
  const text = readFileSync(file, 'utf8')
  const from = new RegExp(`export [^\n]*\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']*)'`).exec(text)?.[1]
  if (from) return docstringOf(name, new URL(from, file))
  const [before = ''] = text.split(
    new RegExp(`^export (?:async )?(?:class|interface|type|const|function) ${name}\\b`, 'm'),
  )
  return /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n$/.exec(before)?.[0] ?? ''
}
