import type { IntendedWrite, Observation } from '../history/history.ts'

/** A request, and what its answer says beyond the rows in it. */
export interface Ask {
  /** Of Query or Mutation. */
  readonly field: string
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly write?: IntendedWrite
  /** What an answer without errors says, given the value of its field. The rows in it speak for themselves. */
  readonly says?: (value: unknown) => Observation[]
}

/** `text` may use the fragments A, U and T: all there is of an article, a user, a tag. */
export function ask(
  field: string,
  text: string,
  variables: Ask['variables'],
  more: Pick<Ask, 'write' | 'says'> = {},
): Ask {
  let query = text
  for (const [name, fragment] of FRAGMENTS) {
    if (query.includes(`...${name} `)) query += `\nfragment ${name} ${fragment}`
  }
  return { field, query, variables, ...more }
}

/** Those that use others come first. */
const FRAGMENTS = [
  [
    'A',
    `on Article {
      id slug title summary body bodyHtml status viewCount publishedAt createdAt updatedAt version
      author { ...U } tags { ...T }
    }`,
  ],
  ['U', 'on User { id username displayName bio avatarUrl role createdAt email }'],
  ['T', 'on Tag { id slug name description }'],
] as const
