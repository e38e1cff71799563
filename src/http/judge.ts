import type { Operation } from '../graphql/operations.ts'
import { isShared, type Run, surrogateKey } from '../responses/index.ts'
import { writeOnce } from './representation.ts'
import { answerTtlMs, type Made, whyNotKept } from './why-not-kept.ts'

/** Whether what was made is kept under `key`, for whom and for how long. */
export function judge(made: Made, operation: Operation, key: string): Run {
  const { cacheControl, asking } = made.context
  const { body } = made.response
  const isKept = !whyNotKept(made, operation, key) && body.kind === 'complete'
  const isPrivate = operation.isPrivate || cacheControl.isPrivate
  const isPublic = !isPrivate && (isShared(key) || asking.kind === 'visitor')
  const { tags } = cacheControl
  const { newest } = made.context.progress
  const answer = isKept
    ? writeOnce(body.string, { tags: isPublic ? surrogateKey(tags) : undefined, newest })
    : undefined
  const { position: asOf, epoch } = made.began
  return { answer, asOf, epoch, tags, ttlMs: answerTtlMs(made, operation) }
}
