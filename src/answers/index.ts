export { answerHead, madeStatus, PRIVATE } from './answer-head.ts'
export { codeFingerprint } from './code-fingerprint.ts'
export { EncodedAnswers, type EncodedBody } from './encoded-answers.ts'
export { Explainer } from './explain-answer.ts'
export { judge } from './judge.ts'
export {
  answerKey,
  type KeptAnswer,
  RESPONSES,
  ResponseCache,
  sharedKey,
  type Wanted,
} from './kept-answers.ts'
export { type Made, whyNeverKept } from './may-be-kept.ts'
export { chooseEncoding, chooseMediaType, type MediaType } from './negotiate.ts'
export { Trace, tracing } from './trace.ts'
export { entityTag, represent, representUnchanged } from './written-answer.ts'
