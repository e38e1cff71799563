export { EncodedAnswers, type EncodedBody, type Encoding } from './encoded-answers.ts'
export {
  ANSWERS,
  answerKey,
  isShared,
  type KeptAnswer,
  ResponseCache,
  type Run,
  sharedKey,
  type Wanted,
} from './response-cache.ts'
export { surrogateKey } from './surrogate-key.ts'
