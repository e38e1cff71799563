import { expect, it } from '@jest/globals'
import { GraphQLError } from 'graphql'
import { LoadTimeoutError } from '../../cache/index.ts'
import { DatabaseOverloadedError, DatabaseUnavailableError } from '../../database/index.ts'
import { InvalidTokenError, NotCaughtUpError } from '../../invalidation/index.ts'
import { ClientError } from '../../kernel/errors.ts'
import { addCodes, isUnexpected, MASKED, maskError, toGraphQLError } from './mask-errors.ts'

it.each<[code: string, Error, status: number | undefined, message: string]>([
  [
    'LOAD_TIMEOUT',
    new LoadTimeoutError('article', 50),
    undefined,
    '"article" could not be loaded within 50 ms: try again.',
  ],
  [
    'UNAVAILABLE',
    new DatabaseUnavailableError(new Error('ECONNREFUSED')),
    503,
    "The database can't be reached just now: try again.",
  ],
  [
    'OVERLOADED',
    new DatabaseOverloadedError('read'),
    503,
    'Too much has to be read in the database just now: try again.',
  ],
  [
    'NOT_CAUGHT_UP',
    new NotCaughtUpError('9.a', 3),
    503,
    'This node stands at 3 and could not reach 9.a in time: try again.',
  ],
  [
    'BAD_USER_INPUT',
    new InvalidTokenError('"x'),
    400,
    'Stet-As-Of must be a token that an answer carried, not "\\"x".',
  ],
  ['NOT_FOUND', new ClientError('NOT_FOUND', 'No.'), undefined, 'No.'],
])('tells a client of what is %s by that code and a status, wherever it was thrown', (code, error, status, message) => {
  const located = new GraphQLError(error.message, { originalError: error, path: ['article'] })
  addCodes([located])
  for (const thrown of [located, toGraphQLError(error, 'request 1')]) {
    expect(thrown.extensions).toEqual({ code, ...(status && { http: { status } }) })
    expect(isUnexpected(thrown)).toBe(false)
    const { message: told, extensions } = maskError({ message: thrown.message, extensions: thrown.extensions }, thrown)
    expect({ told, extensions }).toEqual({ told: message, extensions: { code } })
  }
})

it('tells a client nothing of any other error, wherever it was thrown', () => {
  const error = new Error('a secret')
  const located = new GraphQLError(error.message, { originalError: error })
  addCodes([located])
  for (const thrown of [located, toGraphQLError(error, 'request 1')]) {
    expect(isUnexpected(thrown)).toBe(true)
    const told = maskError({ message: thrown.message, extensions: thrown.extensions }, thrown)
    expect(told).toMatchObject({ message: MASKED, extensions: { code: 'INTERNAL_SERVER_ERROR' } })
  }
})
