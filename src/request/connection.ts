import type { KeyType, Page, Place, PlacesOnPage } from '../database/keyset.ts'
import { AskerError } from '../kernel/errors.ts'

/** A page of a list, as Relay's cursor connections ask for it. */
export interface PageArguments {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** What the resolvers of a connection type are given. Each part is read only when it is asked for. */
export interface Connection<T> {
  edges(): Promise<{ readonly cursor: string; readonly node: T }[]>
  nodes(): Promise<T[]>
  pageInfo(): Promise<PageInfo>
  totalCount(): Promise<number>
}

interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

/** The order of a list: a cursor of one order is refused in another. */
export interface ListOrder {
  readonly name: string
  readonly keyType: KeyType
}

export function parsePage(args: PageArguments, order: ListOrder): Page {
  const { first, last } = args
  if (first != null && last != null) throw badInput('first', 'Give either first or last, not both.')
  const field = last == null ? 'first' : 'last'
  const limit = last ?? first ?? DEFAULT_LIMIT
  if (limit < 1 || limit > MAX_LIMIT) throw badInput(field, `${field} must be from 1 to ${MAX_LIMIT}, not ${limit}.`)
  return {
    limit,
    backward: last != null,
    ...(args.after == null ? {} : { after: parseCursor(args.after, order, 'after') }),
    ...(args.before == null ? {} : { before: parseCursor(args.before, order, 'before') }),
  }
}

export interface ConnectionParts<T> {
  readonly page: Page
  readonly order: ListOrder
  /** Called once at most. */
  readonly places: () => Promise<PlacesOnPage>
  /** The objects in the order of `ids`; undefined where one is gone, or not for this viewer. */
  readonly nodes: (ids: readonly number[]) => Promise<readonly (T | undefined)[]>
  readonly totalCount: () => Promise<number>
}

export function makeConnection<T>({ page, order, places, nodes, totalCount }: ConnectionParts<T>): Connection<T> {
  let reading: ReturnType<typeof read> | undefined
  const read = async () => {
    const { places: all, more } = await places()
    const found = await nodes(all.map(({ id }) => id))
    const edges = all.flatMap((place, index) => {
      const node = found[index]
      return node === undefined ? [] : [{ cursor: formatCursor(place, order), node }]
    })
    return { edges, more }
  }
  const once = () => (reading ??= read())
  return {
    edges: async () => (await once()).edges,
    nodes: async () => (await once()).edges.map(({ node }) => node),
    pageInfo: async () => {
      const { edges, more } = await once()
      return {
        hasNextPage: page.backward ? page.before !== undefined : more,
        hasPreviousPage: page.backward ? more : page.after !== undefined,
        startCursor: edges.at(0)?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      }
    },
    totalCount,
  }
}

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100

const formatCursor = ({ key, id }: Place, { name }: ListOrder): string =>
  Buffer.from(JSON.stringify([name, key, id])).toString('base64url')

function parseCursor(cursor: string, { name, keyType }: ListOrder, field: string): Place {
  const [itsName, key, id] = parseArray(Buffer.from(cursor, 'base64url').toString())
  if (typeof itsName !== 'string' || typeof key !== 'string' || !Number.isSafeInteger(id)) {
    throw badInput(field, `${field} must be a cursor that a connection gave, not ${JSON.stringify(cursor)}.`)
  }
  if (itsName !== name || (keyType !== 'text' && !/^-?\d{1,18}$/.test(key))) {
    throw badInput(
      field,
      `${field} is a cursor of another list: this one is in the order ${name}, and that in the order ${itsName}.`,
    )
  }
  return { key, id: Number(id) }
}

function parseArray(json: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(json)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}

const badInput = (field: string, message: string): AskerError => new AskerError('BAD_USER_INPUT', message, { field })
