import { ClientError } from '../../kernel/errors.ts'

/**
 * Refuses variables that hold too much, before anything looks into them: graphql-js coerces and reports each value by itself, and
 * by recursion.
 * @param max how many values they may hold: texts, numbers, lists, objects, and what is in these
 * @throws BAD_USER_INPUT with status 400
 */
export function limitVariables(variables: unknown, max: number): void {
  let count = 0
  let depth = 0
  for (let level = [variables]; level.length > 0; level = level.flatMap(inside)) {
    count += level.length
    if (depth++ > MAX_DEPTH) throw refused(`The variables nest more than ${MAX_DEPTH} lists and objects.`)
    if (count > max) {
      throw refused(
        `The variables hold more than ${max} values: that is all that the server takes (REQUEST_MAX_VALUES).`,
      )
    }
  }
}

const inside = (value: unknown): unknown[] =>
  typeof value !== 'object' || value === null ? [] : Array.isArray(value) ? value : Object.values(value)

/** Input types nest a few levels. Only lists of lists could nest more. */
const MAX_DEPTH = 32

const refused = (message: string): ClientError =>
  new ClientError('BAD_USER_INPUT', message, { field: 'variables', status: 400 })
