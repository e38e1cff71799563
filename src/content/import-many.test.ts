import { beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { useContent } from '../../test/harness/use-content.ts'
import { cdata, item, xml } from '../../test/harness/wordpress-export.ts'
import type { Progress } from './import-content.ts'

const content = await useContent()
const COUNT = 1201

beforeEach(() => content.clear())

/** As many articles, in each form that an import reads. */
const forms = [
  {
    form: 'Markdown files',
    file: '',
    write: async () => {
      for (let n = 0; n < COUNT; n++) await content.write(`section-${n % 7}/post-${n}.md`, `Text of ${n}`)
    },
  },
  {
    form: 'JSON Lines',
    file: 'posts.jsonl',
    write: () => {
      const lines = Array.from({ length: COUNT }, (_, n) =>
        JSON.stringify({ type: 'article', slug: `post-${n}`, title: 'Post', body: 'Text', author: 'ada' }),
      )
      return content.write('posts.jsonl', lines.join('\n'))
    },
  },
  {
    form: 'a WordPress export',
    file: 'blog.xml',
    write: () => {
      const photo = item({ 'wp:post_type': 'attachment' })
      const posts = Array.from({ length: COUNT }, (_, n) =>
        item({ 'wp:post_name': `post-${n}`, 'content:encoded': cdata(`Text of ${n}`) }),
      )
      return content.write('blog.xml', xml('', photo, ...posts, photo))
    },
  },
]

describe.each(forms)('an import of many articles as $form', ({ file, write }) => {
  it('tells the total before it writes, and then of each batch, which is one transaction', async () => {
    await write()
    const steps: Progress[] = []
    const { report } = await content.import({ file, onProgress: (step) => steps.push(step) })
    expect(report.articles.created).toBe(COUNT)
    expect(steps).toEqual([0, 500, 1000, COUNT].map((done) => ({ done, total: COUNT })))
    expect(await batches()).toEqual([500, 500, COUNT - 1000])
  })

  it('leaves whole batches if it is stopped, and goes on when it is run again', async () => {
    await write()
    for (const stopAt of [0, 500]) {
      const controller = new AbortController()
      const steps: Progress[] = []
      const { report, outcomes } = await content.import({
        file,
        signal: controller.signal,
        onProgress: (step) => {
          steps.push(step)
          if (step.done === stopAt) controller.abort()
        },
      })
      expect(steps.at(-1)).toEqual({ done: stopAt, total: COUNT })
      expect(report.articles.created).toBe(stopAt)
      expect(outcomes.filter(({ outcome }) => outcome !== 'not read')).toHaveLength(stopAt)
      expect(await batches()).toEqual(stopAt === 0 ? [] : [500])
    }
    expect((await content.import({ file })).report.articles).toEqual({
      created: COUNT - 500,
      updated: 0,
      unchanged: 500,
    })
  })

  it('tells of no progress, and writes nothing, if it is stopped before it knows how much there is', async () => {
    await write()
    const steps: Progress[] = []
    const { report } = await content.import({
      file,
      signal: AbortSignal.abort(),
      onProgress: (step) => steps.push(step),
    })
    expect([steps, report.articles.created, await batches()]).toEqual([[], 0, []])
  })
})

/** How many articles each transaction has written, in their order. */
async function batches(): Promise<readonly number[]> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from articles group by xmin::text order by min(id)
  `.execute(content.db)
  return rows.map(({ count }) => count)
}
