import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { withPictures } from './pictures.ts'
import { drawHouse, type Import, importsOf, ROOMS, readImports, roomOf, whyForbidden } from './rooms.ts'

describe('The rooms of src', () => {
  const imports = readImports()

  it('import only rooms that they may know, by their doors', () => {
    process.stdout.write(`\n${drawHouse(imports)}\n`)
    expect(imports.map(whyForbidden).filter((it) => it !== undefined)).toEqual([])
  })

  it('are drawn in ARCHITECTURE.md as they are: npm run generate', () => {
    const document = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8')
    expect(document).toBe(withPictures(document, imports))
  })

  it('may know only what stands further down', () => {
    const order = Object.keys(ROOMS)
    for (const [room, known] of Object.entries(ROOMS)) {
      const upward = known.split(/\s+/).filter((it) => it !== '' && order.indexOf(it) <= order.indexOf(room))
      expect({ room, upward }).toEqual({ room, upward: [] })
    }
  })

  it('may know no room that they have no use for', () => {
    const used = new Set(imports.map(({ from, to }) => `${roomOf(from)} ${to.startsWith('src/') ? roomOf(to) : ''}`))
    const unused = Object.entries(ROOMS).flatMap(([room, known]) =>
      known
        .split(/\s+/)
        .filter((it) => it !== '' && !used.has(`${room} ${it}`))
        .map((it) => `${room} → ${it}`),
    )
    expect(unused).toEqual([])
  })
})

describe('An import that is forbidden', () => {
  it.each([
    ['upward', 'src/cache/cache.ts', `import { Follower } from '../invalidation/index.ts'`],
    ['of a type alone', 'src/kernel/clock.ts', `import type { Cache } from '../cache/index.ts'`],
    ['past a door', 'src/http/server.ts', `import { Ledger } from '../cache/ledger/ledger.ts'`],
    ['past the door of an inner room', 'src/answers/x.ts', `export { x } from '../graphql/operation/documents.ts'`],
    ['for its effects', 'src/database/pool.ts', `import '../graphql/api.ts'`],
    ['when it is needed', 'src/identity/viewer.ts', `const it = await import('../database/index.ts')`],
    ['within a type', 'src/worker/queue.ts', `let it: import("../http/index.ts").Server`],
    ['of all of it', 'src/redis/breaker.ts', `export * from '../cache/index.ts'`],
    ['by require', 'src/content/seed.ts', `createRequire(import.meta.url)(\`../graphql/index.ts\`)`],
    ['between rooms of the domain', 'src/domain/users/index.ts', `import { x } from '../articles/index.ts'`],
    ['of a package by the engine', 'src/cache/cache.ts', `import { parse } from 'graphql/language/parser.js'`],
    ['of a scoped package by the engine', 'src/cache/cache.ts', `import { x } from '@apollo/server/errors'`],
    ['of this package by its name', 'src/http/server.ts', `import { Cache } from 'stet/cache'`],
    ['of a test', 'src/app/config.ts', `import { x } from '../../test/harness/index.ts'`],
    ['by a loose file', 'src/loose.ts', `import { x } from './kernel/clock.ts'`],
    ['over several lines', 'src/redis/breaker.ts', `import {\n  a,\n  b,\n} from\n  '../app/config.ts'`],
  ])('is caught: %s', (_how, file, source) => {
    expect(importsOf(file, source).map(whyForbidden)).toEqual([expect.any(String)])
  })

  it.each<[string, Import]>([
    ['within a room', { from: 'src/cache/reading/tiers.ts', to: 'src/cache/memory/memory-tier.ts' }],
    ['of a room below, by its door', { from: 'src/http/server.ts', to: 'src/cache/index.ts' }],
    ['of the kernel', { from: 'src/cache/cache.ts', to: 'src/kernel/clock.ts' }],
  ])('is not one %s', (_how, allowed) => {
    expect(whyForbidden(allowed)).toBeUndefined()
  })
})
