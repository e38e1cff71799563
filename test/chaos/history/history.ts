/** All that a run did and was told, as data: what the checker judges, and nothing it would have to ask a server for. */
export interface History {
  /** Every write of every row, in the order of its positions, and of each row in the order that PostgreSQL made them in. */
  readonly writes: readonly RowWrite[]
  /** The histories of the log that survived, oldest first, each with its last position. */
  readonly epochs: readonly LogEnd[]
  /** In the order in which they were over. */
  readonly events: readonly Event[]
  /** Where the log stood when the first of them began. */
  readonly from: number
}

/** `articles:5`, `users:2`, `tags:7`, `article_stats:5`, or `article_tags:5,7` for an article that has a tag. */
export type RowKey = string

/** Columns of a row by the names that the database gives them. Null: there is no such row. */
export type RowState = Readonly<Record<string, unknown>> | null

/** What a committed transaction made of a row. */
export interface RowWrite {
  readonly row: RowKey
  readonly state: RowState
  /** From this position of the log on, the row is like that. */
  readonly position: number
  readonly atMs: number
}

/** An epoch, and the last position that it has. */
export interface LogEnd {
  readonly epoch: string
  readonly last: number
}

export type Event = Answer | Adoption | Fault | Loss

/** One request and what became of it. */
export interface Answer {
  readonly is: 'answer'
  /** For people. */
  readonly asked: string
  /** The field of Query or Mutation. */
  readonly field: string
  readonly client: string
  readonly viewer: Viewer
  readonly node: string
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** How many events were over when it was sent. */
  readonly after: number
  /** The `Stet-As-Of` that was sent. */
  readonly sent?: string
  /** That which came back. */
  readonly token?: string
  /** Absent where all went well. */
  readonly error?: Refusal
  readonly observed: readonly Observation[]
  /** What the request was to write. Absent for a query. */
  readonly write?: IntendedWrite
}

export interface Refusal {
  /** Of a GraphQL error; `NETWORK` where no answer came, `TIMEOUT` where nobody waited for it. */
  readonly code: string
  readonly message: string
  /** True where nobody can tell from the error whether the change is made. */
  readonly open: boolean
  /** By which the node's log tells what was hidden. */
  readonly requestId?: string
}

export interface IntendedWrite {
  /** Stands in the row, and in no other write. Absent where the mutation has no text of its own. */
  readonly mark?: string
  /** The row that must be gone afterwards. */
  readonly deletes?: RowKey
  /** The article whose view was to be counted. */
  readonly views?: number
}

/** A client takes over what another one knows, its token included. */
interface Adoption {
  readonly is: 'adoption'
  readonly client: string
  readonly from: string
}

interface Fault {
  readonly is: 'fault'
  readonly what: string
  readonly atMs: number
}

/** The log was cut off at these ends. An epoch may have gone on from there, with other records at the same positions. */
interface Loss {
  readonly is: 'loss'
  readonly ends: readonly LogEnd[]
  readonly atMs: number
}

/** Who asks: nobody in particular, an admin, or the user with this id. */
export type Viewer = 'visitor' | 'admin' | number

/** What an answer says of the database. */
export type Observation =
  /** A row has these columns, or there is none that the viewer may see. */
  | { readonly of: 'row'; readonly row: RowKey; readonly state: RowState }
  /** These are the rows of a selection: all of them, where `complete`. */
  | {
      readonly of: 'list'
      readonly selection: Selection
      readonly ids: readonly number[]
      readonly complete: boolean
    }
  /** A selection has so many rows. */
  | { readonly of: 'count'; readonly selection: Selection; readonly count: number }
  /** The row whose unique column has this value. Null: none that the viewer may see. */
  | {
      readonly of: 'name'
      readonly table: Table
      readonly column: string
      readonly value: string
      readonly id: number | null
    }

export type Table = 'articles' | 'users' | 'tags'

/** Rows of a table that the viewer may see, and for which all of this holds. */
export interface Selection {
  readonly table: Table
  readonly status?: 'DRAFT' | 'PUBLISHED'
  readonly authorId?: number
  readonly tagId?: number
  /** Tags that this article has. */
  readonly articleId?: number
}

/** Drafts are seen by their author and admins only. */
export function canSee(viewer: Viewer, row: RowKey, state: RowState): boolean {
  if (state === null || !row.startsWith('articles:')) return state !== null
  return state.status === 'PUBLISHED' || viewer === 'admin' || viewer === state.author_id
}
