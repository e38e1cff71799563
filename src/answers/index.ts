export { EncodedAnswers, type EncodingChoice } from './encoded-answers.ts'
export { Explainer } from './explain-answer.ts'
export { AnswerFinder, type Asking, answerMaker, type Found, type MakeAnswer, type Question } from './find-answer.ts'
export { KeptAnswers, RESPONSES } from './kept-answers.ts'
export type { Made } from './may-be-kept.ts'
export { Trace, tracing } from './trace.ts'
export {
  type ByteString,
  type EncodedBody,
  type Encoding,
  entityTag,
  etagOf,
  type Form,
  MEDIA_TYPES,
  type MediaType,
  represent,
  representUnchanged,
  type WrittenAnswer,
  writeOnce,
} from './written-answer.ts'
