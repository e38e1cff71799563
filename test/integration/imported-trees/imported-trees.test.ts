import { randomInt } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { Random } from '../../../src/kernel/random.ts'
import type { GraphQLClient } from '../../harness/graphql-client.ts'
import { useNode } from '../../harness/use.ts'
import { type ContentBench, useContent } from '../../harness/use-content.ts'
import { type GeneratedFile, generateTree } from './generate-tree.ts'

/** `IMPORTED_TREES=500` tries as many. `TEST_SEED` repeats a run. */
const trees = Number(process.env.IMPORTED_TREES ?? 12)
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))

const content = await useContent()
const node = await useNode({ database: content.database })

it(
  `makes of any tree what its files say, and shows nothing that is held back (TEST_SEED=${seed})`,
  async () => {
    console.log(`TEST_SEED=${seed} repeats this run.`)
    const random = new Random(seed)
    for (let tree = 0; tree < trees; tree++) {
      await content.clear()
      await tryTree(content, generateTree(random, `t${tree}`, 40))
    }
  },
  60_000 + trees * 5000,
)

async function tryTree(bench: ContentBench, files: readonly GeneratedFile[]): Promise<void> {
  for (const { file, text } of files) await bench.write(file, text)
  const { report, outcomes } = await bench.import()

  const became = Object.fromEntries(outcomes.map(({ file, outcome }) => [file, outcome]))
  expect(became).toEqual(Object.fromEntries(files.map(({ file, becomes }) => [file, becomes])))
  expect(outcomes).toHaveLength(files.length)
  expect(report.files).toBe(files.length)
  const counts = { imported: 0, draft: 0, skipped: 0, 'not read': 0 }
  for (const { becomes } of files) counts[becomes]++
  expect(report.outcomes).toEqual(counts)
  for (const { outcome, why } of outcomes) expect(why.length > 0).toBe(outcome !== 'imported')

  await node.catchUp()
  const expected = files.flatMap(({ article, becomes }) => (article ? [{ ...article, status: statusOf(becomes) }] : []))
  const found = await read(
    node.admin,
    expected.map(({ slug }) => slug),
  )
  const timed = found.map(({ publishedAt, ...article }, index) => {
    const isGiven = expected[index]?.publishedAt !== undefined || article.status === 'DRAFT'
    return { ...article, publishedAt: isGiven && publishedAt !== null ? Date.parse(publishedAt) : undefined }
  })
  expect(timed).toEqual(expected)

  const drafts = expected.filter(({ status }) => status === 'DRAFT').map(({ slug }) => slug)
  expect((await readRaw(node.visitor, drafts)).filter((article) => article !== null)).toEqual([])
  const listed = await node.visitor.get<{ articles: { nodes: { slug: string }[] } }>(
    '{ articles(first: 100) { nodes { slug } } }',
  )
  const published = expected.filter(({ status }) => status === 'PUBLISHED').map(({ slug }) => slug)
  expect(listed.articles.nodes.map(({ slug }) => slug).sort()).toEqual(published.sort())
}

const statusOf = (becomes: GeneratedFile['becomes']) => (becomes === 'draft' ? 'DRAFT' : 'PUBLISHED')

interface Row {
  readonly slug: string
  readonly title: string
  readonly summary: string
  readonly body: string
  readonly status: string
  readonly publishedAt: string | null
  readonly author: { readonly displayName: string }
  readonly tags: readonly { readonly name: string }[]
}

async function read(client: GraphQLClient, slugs: readonly string[]) {
  const rows = await readRaw(client, slugs)
  return rows.map((row, index) => {
    if (row === null) throw new Error(`there is no article ${slugs[index]}`)
    return { ...row, author: row.author.displayName, tags: row.tags.map(({ name }) => name).sort() }
  })
}

async function readRaw(client: GraphQLClient, slugs: readonly string[]): Promise<readonly (Row | null)[]> {
  const rows: (Row | null)[] = []
  for (let from = 0; from < slugs.length; from += 10) {
    const aliases = slugs.slice(from, from + 10).map((slug, index) => `a${index}: article(slug: "${slug}") { ...All }`)
    const data = await client.get<Record<string, Row | null>>(
      `{ ${aliases.join(' ')} }
       fragment All on Article {
         slug title summary body status publishedAt author { displayName } tags { name }
       }`,
    )
    rows.push(...Object.values(data))
  }
  return rows
}
