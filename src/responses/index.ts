export { EncodedAnswers, type EncodedBody, type Encoding, type EncodingChoice } from './encoded-answers.ts'
export {
  answerKey,
  bodyOf,
  isShared,
  type KeptAnswer,
  RESPONSES,
  ResponseCache,
  type Run,
  sharedKey,
  type Wanted,
} from './response-cache.ts'
export { surrogateKey } from './surrogate-key.ts'
