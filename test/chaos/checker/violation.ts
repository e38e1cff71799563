/**
 * What must never be:
 *
 *   older than its token     an answer misses a write that the `Stet-As-Of` of its request covers
 *   older than acknowledged  it misses a write that the same node had acknowledged before
 *   older than seen          it misses what the same client was shown before, or whoever it has its token from
 *   beyond its token         it shows a write that its own `Stet-As-Of` does not cover
 *   of several moments       each thing that it shows was so, and never all of them at once
 *   token went back          its `Stet-As-Of` is older than the one that was sent
 *   never written            it shows what the database never held, or what the viewer may not see
 *   lost write               a write was acknowledged, and the database doesn't have it
 *   made though refused      a write was refused for good, and the database has it
 *   view counted twice       an article has more views than were recorded
 *   lost view                it has fewer than were acknowledged
 *   wrong at rest            a node answers otherwise than one without a cache does, and nothing is written any more
 *   wrong in Redis           `stet cache verify` finds an entry that stands and is wrong
 *   unexpected error         an error that the fault is no excuse for
 */
export type ViolationKind =
  | 'older than its token'
  | 'older than acknowledged'
  | 'older than seen'
  | 'beyond its token'
  | 'of several moments'
  | 'token went back'
  | 'never written'
  | 'lost write'
  | 'made though refused'
  | 'view counted twice'
  | 'lost view'
  | 'wrong at rest'
  | 'wrong in Redis'
  | 'unexpected error'

export interface Violation {
  readonly kind: ViolationKind
  readonly message: string
  /** The number of the event that shows it. */
  readonly event?: number
  /** What it is about: their writes tell the rest. */
  readonly rows?: readonly string[]
}
