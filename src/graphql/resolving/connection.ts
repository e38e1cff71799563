import type { KeyType, Page, Place, PlacesOnPage } from '../../database/index.ts'
import { badInput, checkText, quote } from '../../kernel/input.ts'
import { allNowOrLater, isPromise, nowOrLater, type PromiseOrValue } from '../../kernel/promise-or-value.ts'

/** The arguments of a field that returns a Relay cursor connection. */
export interface PageArguments {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** The parent object of a connection type's resolvers. Each part is read only if the query selects it. */
export interface Connection<T> {
  edges(): PromiseOrValue<{ readonly cursor: string; readonly node: T }[]>
  nodes(): PromiseOrValue<T[]>
  pageInfo(): PromiseOrValue<PageInfo>
  totalCount(): PromiseOrValue<number>
}

interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

/** The order of a list. A cursor names its order, and is refused in another one. */
export interface ListOrder {
  readonly name: string
  readonly keyType: KeyType
}

export const DEFAULT_PAGE_SIZE = 20
export const MAX_PAGE_SIZE = 100

export interface ConnectionParts<T> {
  readonly order: ListOrder
  /** Called at most once. Undefined: the list is empty. */
  readonly places: (page: Page) => PromiseOrValue<PlacesOnPage | undefined>
  /** Undefined if the object was deleted, or this viewer may not see it. */
  readonly node: (id: number) => PromiseOrValue<T | undefined>
  readonly totalCount: () => PromiseOrValue<number | undefined>
}

/**
 * Makes a connection from a page of places and a function that loads the object at each.
 *
 * @throws BAD_USER_INPUT for a size out of range, both `first` and `last`, or a cursor of another list
 */
export const makeConnection = <T>(args: PageArguments, parts: ConnectionParts<T>): Connection<T> =>
  new LazyConnection(parsePage(args, parts.order), parts)

function parsePage(args: PageArguments, order: ListOrder): Page {
  const { first, last } = args
  if (first != null && last != null)
    throw badInput('first', `Give either first or last, not both first ${first} and last ${last}.`)
  const field = last == null ? 'first' : 'last'
  const limit = last ?? first ?? DEFAULT_PAGE_SIZE
  if (limit < 1 || limit > MAX_PAGE_SIZE) {
    throw badInput(field, `${field} must be from 1 to ${MAX_PAGE_SIZE}, not ${limit}.`)
  }
  return {
    limit,
    backward: last != null,
    after: args.after == null ? undefined : parseCursor(args.after, order, 'after'),
    before: args.before == null ? undefined : parseCursor(args.before, order, 'before'),
  }
}

class LazyConnection<T> implements Connection<T> {
  readonly #page: Page
  readonly #parts: ConnectionParts<T>
  #places: PromiseOrValue<PlacesOnPage> | undefined
  #found: PromiseOrValue<readonly (T | undefined)[]> | undefined

  constructor(page: Page, parts: ConnectionParts<T>) {
    this.#page = page
    this.#parts = parts
  }

  edges() {
    return nowOrLater(this.#readPlaces(), ({ places }) =>
      nowOrLater(this.#readNodes(), (found) =>
        found.flatMap((node, index) => {
          const place = places[index]
          return place && node !== undefined ? [new Edge(place, this.#parts.order, node)] : []
        }),
      ),
    )
  }

  nodes() {
    return nowOrLater(this.#readNodes(), present)
  }

  pageInfo() {
    const page = this.#page
    const { order } = this.#parts
    // The cursors of the places, not of the edges: even if all objects of a page were deleted, a client can go on from them.
    return nowOrLater(this.#readPlaces(), ({ places, more }) => {
      const cursorOf = (place: Place | undefined) => (place ? formatCursor(place, order) : null)
      return {
        hasNextPage: page.backward ? page.before !== undefined : more,
        hasPreviousPage: page.backward ? more : page.after !== undefined,
        startCursor: cursorOf(places.at(0)),
        endCursor: cursorOf(places.at(-1)),
      }
    })
  }

  totalCount() {
    return nowOrLater(this.#parts.totalCount(), (count) => count ?? 0)
  }

  #readPlaces(): PromiseOrValue<PlacesOnPage> {
    this.#places ??= nowOrLater(this.#parts.places(this.#page), orNoPlaces)
    return this.#places
  }

  #readNodes(): PromiseOrValue<readonly (T | undefined)[]> {
    if (this.#found === undefined) {
      const places = this.#readPlaces()
      this.#found = isPromise(places) ? this.#readNodesLater(places) : this.#nodesAt(places)
    }
    return this.#found
  }

  #readNodesLater(coming: Promise<PlacesOnPage>): Promise<readonly (T | undefined)[]> {
    return coming.then((places) => this.#nodesAt(places))
  }

  #nodesAt({ places }: PlacesOnPage): PromiseOrValue<readonly (T | undefined)[]> {
    const { node } = this.#parts
    return allNowOrLater(places.map(({ id }) => node(id)))
  }
}

function present<T>(found: readonly (T | undefined)[]): T[] {
  return found.includes(undefined) ? found.filter((node) => node !== undefined) : (found as T[])
}

const NO_PLACES: PlacesOnPage = { places: [], more: false }
const orNoPlaces = (places: PlacesOnPage | undefined): PlacesOnPage => places ?? NO_PLACES

class Edge<T> {
  readonly #place: Place
  readonly #order: ListOrder
  readonly node: T

  constructor(place: Place, order: ListOrder, node: T) {
    this.#place = place
    this.#order = order
    this.node = node
  }

  get cursor(): string {
    return formatCursor(this.#place, this.#order)
  }
}

const formatCursor = ({ key, id }: Place, { name }: ListOrder): string =>
  Buffer.from(JSON.stringify([name, key, id])).toString('base64url')

function parseCursor(cursor: string, { name, keyType }: ListOrder, field: string): Place {
  const [itsName, key, id] = parseArray(Buffer.from(cursor, 'base64url').toString())
  if (typeof itsName === 'string' && ORDER_NAME.test(itsName) && itsName !== name) {
    const orders = `this list is in the order ${name}, and that in the order ${itsName}`
    throw badInput(field, `${field} must be a cursor of this list, not ${quote(cursor)}: ${orders}.`)
  }
  if (itsName !== name || typeof key !== 'string' || !KEYS[keyType].test(key) || !Number.isSafeInteger(id)) {
    throw badInput(field, `${field} must be a cursor that a connection gave, not ${quote(cursor)}.`)
  }
  return { key: checkText(field, key), id: Number(id) }
}

const ORDER_NAME = /^[A-Z_]{1,40}$/

/** The keys that PostgreSQL accepts in a comparison. Instants have one digit less before 1970: its time begins in 4713 BC. */
const KEYS: Record<KeyType, RegExp> = {
  text: /^.{0,2000}$/s,
  integer: /^-?\d{1,18}$/,
  instant: /^(\d{1,18}|-\d{1,17})$/,
}

function parseArray(json: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(json)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}
