/** Jobs that wait, in the order in which they came. */
export interface JobStream {
  /** What is lost with the process must be applied before it ends. */
  readonly isVolatile: boolean
  /** True where the job is in; false where the stream is at its bound, which nothing in it has to make room for. */
  add(job: string): Promise<boolean>
  /** Names the present history of the stream, in which ids only grow. Undefined while nothing waits. */
  identify(): Promise<string | undefined>
  /**
   * The oldest entries of that history, in order, `limit` at most. Rejects where it has come to an end.
   * What was decided already, up to the id `decided`, may be among them: it was not removed, or it came back.
   */
  take(identity: string, limit: number, decided: string): Promise<readonly Entry[]>
  /** Removes entries. Those that are gone already stay so. */
  remove(identity: string, ids: readonly string[]): Promise<void>
  /** Moves an entry to the dead letters, unless it is gone. */
  bury(identity: string, letter: GivenUp): Promise<void>
  state(): Promise<StreamState>
}

export interface Entry {
  /** Milliseconds and a count within them, as in `1767225600000-3`. */
  readonly id: string
  /** Undefined where somebody has deleted it by hand. */
  readonly job: string | undefined
}

/** An entry that could not be applied. */
export interface GivenUp {
  readonly id: string
  readonly error: string
  readonly attempts: number
}

export interface StreamState {
  readonly depth: number
  /** For how long its oldest entry has waited. */
  readonly lagMs: number
  readonly dead: number
}

/** Below 0 where `a` came before `b`. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aCount = 0] = a.split('-').map(Number)
  const [bMs = 0, bCount = 0] = b.split('-').map(Number)
  return aMs - bMs || aCount - bCount
}
