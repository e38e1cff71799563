import type { Operation } from '../graphql/operation/index.ts'
import { isShared, type Run } from './kept-answers.ts'
import { answerTtlMs, type Made, whyNotKept } from './may-be-kept.ts'
import { writeKept, writeOnce } from './written-answer.ts'

/** Under which key an answer is kept, and whether it is worth keeping: see `KeptAnswers.isAskedAgain`. */
export interface Keeping {
  readonly key: string
  readonly isWorthKeeping: boolean
}

/** Decides whether the answer that was made is kept, for whom and for how long. An answer that may be kept but isn't worth it yet still serves the requests that wait for it. */
export function judge(made: Made, operation: Operation, { key, isWorthKeeping }: Keeping): Run {
  const { cacheControl, unmarkedViewer, progress } = made.context
  const { body } = made.response
  const { position: asOf, epoch } = made.began
  if (whyNotKept(made, operation, key) || body.kind !== 'complete') {
    return { answer: undefined, asOf, epoch, tags: [], ttlMs: 0 }
  }
  const { newest } = progress
  if (!isWorthKeeping) return { answer: writeOnce(body.string, newest), asOf, epoch, tags: [], ttlMs: 0 }
  const isPrivate = operation.isPrivate || cacheControl.isPrivate
  const isPublic = !isPrivate && (isShared(key) || unmarkedViewer.kind === 'visitor')
  const { tags } = cacheControl
  const answer = writeKept(body.string, { tags: isPublic ? tags : undefined, newest })
  return { answer, asOf, epoch, tags, ttlMs: answerTtlMs(made, operation) }
}
