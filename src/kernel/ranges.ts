/**
 * What ids, counters and instants may be, so that a row, an answer, a cursor and a file of content all say the same. The tables refuse
 * the rest: see `database/value-checks.ts`.
 */

/** Ids are 1 to this. JavaScript rounds larger numbers: two rows would have one id. */
export const MAX_ID = Number.MAX_SAFE_INTEGER

/** Counters are 0 to this, the largest `Int` of GraphQL. */
export const MAX_COUNT = 2 ** 31 - 1

/** Years have four digits, as in ISO 8601. */
export const FIRST_YEAR = 1
export const LAST_YEAR = 9999
