import { expect, it } from '@jest/globals'
import { createArticleWorld } from '../../integration/races/article-world.ts'
import { installAudit, readAudit } from './audit.ts'

it('tells what became of each row, and at which moment of the log', async () => {
  const world = await createArticleWorld()
  try {
    await world.token()
    await installAudit(world.database.url)
    const rename = (id: number, title: string) => world.sql('update articles set title = $2 where id = $1', [id, title])
    await rename(1, 'first')
    await rename(2, 'second')
    await world.token()
    await rename(1, 'third')
    await world.token()
    const { writes } = await readAudit(world.database.url)
    expect(writes.map(({ row, state }) => [row, state?.title])).toEqual([
      ['articles:1', 'first'],
      ['articles:2', 'second'],
      ['articles:1', 'third'],
    ])
    const [first, second, third] = writes.map(({ position }) => position)
    // They were given their positions at once.
    expect(second).toBe(first)
    expect(third).toBeGreaterThan(second ?? Number.NaN)
  } finally {
    await world.end()
  }
})
