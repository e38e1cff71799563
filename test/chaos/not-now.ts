/** Codes of errors that say: another time. */
export const NOT_NOW: readonly string[] = [
  'LOAD_TIMEOUT',
  'NETWORK',
  'NOT_CAUGHT_UP',
  'OUTCOME_UNKNOWN',
  'OVERLOADED',
  'TIMEOUT',
  'UNAVAILABLE',
  'WRITE_UNCONFIRMED',
]
