import type { Operation } from '../graphql/operation/index.ts'
import { isShared, type Run } from './kept-answers.ts'
import { answerTtlMs, type Made, whyNotKept } from './may-be-kept.ts'
import { surrogateKey } from './surrogate-key.ts'
import { writeOnce } from './written-answer.ts'

/** Whether what was made is kept under `key`, for whom and for how long. */
export function judge(made: Made, operation: Operation, key: string): Run {
  const { cacheControl, unmarkedViewer } = made.context
  const { body } = made.response
  const isKept = !whyNotKept(made, operation, key) && body.kind === 'complete'
  const isPrivate = operation.isPrivate || cacheControl.isPrivate
  const isPublic = !isPrivate && (isShared(key) || unmarkedViewer.kind === 'visitor')
  const { tags } = cacheControl
  const { newest } = made.context.progress
  const answer = isKept
    ? writeOnce(body.string, { tags: isPublic ? surrogateKey(tags) : undefined, newest })
    : undefined
  const { position: asOf, epoch } = made.began
  return { answer, asOf, epoch, tags, ttlMs: answerTtlMs(made, operation) }
}
