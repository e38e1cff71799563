/** A queue's waiting jobs, in the order in which they were added. */
export interface JobStream {
  /** True if the jobs are lost with the process, so that they must be applied before it ends. */
  readonly isVolatile: boolean
  /** Adds a job. False if the stream is full: no waiting job is dropped to make room. */
  add(job: string): Promise<boolean>
  /** The identity of the stream's present history, within which ids only grow. Undefined while no job waits. */
  identify(): Promise<string | undefined>
  /**
   * The oldest entries of a history, in order, at most `limit`. Rejects if that history has ended.
   *
   * @param decided the last id that was applied or given up. Entries up to it may be returned again, because they were not
   *   removed or because Redis restored them.
   */
  take(identity: string, limit: number, decided: string): Promise<readonly Entry[]>
  /** Removes entries. Ignores those that were removed already. */
  remove(identity: string, ids: readonly string[]): Promise<void>
  /** Moves an entry to the dead letters, unless it was removed already. */
  bury(identity: string, letter: GivenUp): Promise<void>
  state(): Promise<StreamState>
}

export interface Entry {
  /** Milliseconds and a count within them, as in `1767225600000-3`. */
  readonly id: string
  /** Undefined if an operator has deleted the entry from Redis. */
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
  /** For how long the oldest entry has waited. */
  readonly lagMs: number
  readonly dead: number
}

/** Below 0 if `a` came before `b`. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aCount = 0] = a.split('-').map(Number)
  const [bMs = 0, bCount = 0] = b.split('-').map(Number)
  return aMs - bMs || aCount - bCount
}
