import { toGlobalId } from '../../../src/identity/global-id.ts'
import { testToken } from '../../harness/index.ts'
import { ANN, BOB, ids } from '../add-content.ts'

/** Row ids of the users that the matrix adds to those of `addContent`. */
const CAROL = 3
const DAVE = 4
const NOBODY = 99

/** The rows of Carol and Dave. */
export const ADD_USERS = `insert into users (username, display_name, email, role)
  values ('carol', 'Carol', 'carol@example.com', 'ADMIN'), ('dave', 'Dave', 'dave@example.com', 'AUTHOR')`

/** All who ask, those with more rights later. Drafts and profiles are looked at as things of Ann's. */
export const ROLES = {
  deleted: { about: 'an author whose row is gone', token: () => testToken('author', NOBODY), userId: undefined },
  visitor: { about: 'has no token', token: async () => undefined, userId: undefined },
  demoted: {
    about: 'Dave: an admin by his token, and by his row none any more',
    token: () => testToken('admin', DAVE),
    userId: toGlobalId('User', DAVE),
  },
  other: { about: 'Bob, an author', token: () => testToken('author', BOB), userId: ids.bob },
  owner: { about: 'Ann, an author', token: () => testToken('author', ANN), userId: ids.ann },
  rowAdmin: {
    about: 'Carol, an admin',
    token: () => testToken('admin', CAROL),
    userId: toGlobalId('User', CAROL),
  },
  admin: { about: 'an admin without a row', token: () => testToken('admin'), userId: undefined },
} as const

export type Role = keyof typeof ROLES

export const ALL_ROLES = Object.keys(ROLES) as readonly Role[]

export const USERS = {
  carol: toGlobalId('User', CAROL),
  dave: toGlobalId('User', DAVE),
  nobody: toGlobalId('User', NOBODY),
}

export const isAdmin = (role: Role): boolean => role === 'admin' || role === 'rowAdmin'

export const isUser = (role: Role, id: string): boolean => ROLES[role].userId === id
