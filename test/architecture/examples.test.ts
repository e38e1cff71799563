import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

const doors = {
  'stet/cache': 'src/cache/index.ts',
  'stet/cache/contract': 'src/cache/remote/remote-tier.contract.ts',
  'stet/invalidation': 'src/invalidation/index.ts',
}

it.each(Object.entries(doors))('every export of %s has an example in its docstring', (_name, path) => {
  const door = new URL(`../../${path}`, import.meta.url)
  const text = readFileSync(door, 'utf8')
  const passedOn = [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']*)'/g)].flatMap(
    ([, names = '', from = '']) =>
      names.split(',').map((name) => ({ name: name.trim().replace(/^type /, ''), file: new URL(from, door) })),
  )
  const own = [...text.matchAll(/^export [a-z ]*?(?:class|interface|type|const|function) (\w+)/gm)].map(
    ([, name = '']) => ({ name, file: door }),
  )
  const exported = [...passedOn, ...own].filter(({ name }) => name !== '')
  expect(exported.length).toBeGreaterThan(2)
  const without = exported.filter(({ name, file }) => !docstringOf(name, file).includes('@example'))
  expect(without.map(({ name }) => name)).toEqual([])
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
