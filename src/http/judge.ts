import { hash } from 'node:crypto'
import type { Operation } from '../graphql/operations.ts'
import { isShared, type Run, surrogateKey } from '../responses/index.ts'
import { tagLines } from './answer-head.ts'
import { answerTtlMs, type Made, whyNotKept } from './why-not-kept.ts'

/** Whether what was made is kept under `key`, for whom and for how long. */
export function judge(made: Made, operation: Operation, key: string): Run {
  const { cacheControl, asking } = made.context
  const { body } = made.response
  const isKept = !whyNotKept(made, operation, key) && body.kind === 'complete'
  const isPrivate = operation.isPrivate || cacheControl.isPrivate
  const isPublic = !isPrivate && (isShared(key) || asking.kind === 'visitor')
  const { tags } = cacheControl
  const bytes = isKept ? ownBytes(body.string) : undefined
  const answer = bytes
    ? {
        body: bytes,
        etag: hash('sha256', bytes, 'base64url').slice(0, 22),
        tagLines: isPublic ? tagLines(surrogateKey(tags)) : '',
        newest: made.context.progress.newest,
        isPublic,
      }
    : undefined
  const { position: asOf, epoch } = made.began
  return { answer, asOf, epoch, tags, ttlMs: answerTtlMs(made, operation) }
}

/** In memory of its own: what small buffers are cut from would be kept alive as a whole. */
function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
