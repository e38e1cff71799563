export { type AnswerLimits, answerTooLarge } from './budget.ts'
export { Executor } from './executor.ts'
