import type { GraphQLClient } from '../../harness/index.ts'
import type { Dice } from '../oracle/dice.ts'

/** What is asked of each row: every field but a body, which may have half a million characters. */
export const FIELDS = {
  users: 'id username displayName bio avatarUrl role email createdAt',
  tags: 'id slug name description',
  articles: 'id slug title summary status viewCount version publishedAt createdAt updatedAt author { id } tags { id }',
} as const

export type Table = keyof typeof FIELDS
export type Shown = Readonly<Record<string, unknown>> & { readonly id: string }

/** Reads a list to its end, in pages of any size, from its beginning or from its end. `args`: further arguments, as in `orderBy: TITLE`. */
export async function readPages(client: GraphQLClient, dice: Dice, table: Table, args: string, backward: boolean) {
  const shown: Shown[] = []
  let cursor: string | null = null
  for (let pages = 1; ; pages++) {
    const size = 5 + dice.below(60)
    const page: string = [
      args,
      backward ? `last: ${size}` : `first: ${size}`,
      cursor && `${backward ? 'before' : 'after'}: "${cursor}"`,
    ]
      .filter(Boolean)
      .join(', ')
    const data: Record<string, Page> = await client.get<Record<string, Page>>(
      `{ ${table}(${page}) { totalCount nodes { ${FIELDS[table]} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
    )
    const list = data[table]
    if (!list) throw new Error(`${table} is null.`)
    const { nodes, pageInfo, totalCount } = list
    if (backward) shown.unshift(...nodes)
    else shown.push(...nodes)
    // Also if the pages that don't end are empty.
    if (pages > totalCount + 1) throw new Error(`${table}(${page}) is page ${pages} of ${totalCount} rows.`)
    cursor = backward ? pageInfo.startCursor : pageInfo.endCursor
    if (!(backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return { shown, totalCount }
  }
}

interface Page {
  readonly totalCount: number
  readonly nodes: readonly Shown[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

/** Tags in an order that SQL has, too. */
export function comparable(row: Shown | undefined): unknown {
  if (!row || !Array.isArray(row.tags)) return row
  const tags = row.tags as { readonly id: string }[]
  return { ...row, tags: [...tags].sort((a, b) => (a.id < b.id ? -1 : 1)) }
}
