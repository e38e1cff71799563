import { ids } from '../add-content.ts'
import { type Role, USERS } from './roles.ts'

export interface MutationRule {
  readonly call: string
  /** The error code that each role is told. It is done for the others. */
  readonly refuses: Partial<Record<Role, string>>
  /** Default: true. False: nothing but counters, or nothing at all. */
  readonly changesContent?: boolean
}

const UNAUTHENTICATED = 'UNAUTHENTICATED'
const FORBIDDEN = 'FORBIDDEN'
const NOT_FOUND = 'NOT_FOUND'

const signedOut = { deleted: UNAUTHENTICATED, visitor: UNAUTHENTICATED } as const
const admins = (...all: readonly string[]) => ({ rowAdmin: all[0], admin: all[1] ?? all[0] })

const forAdmins = (call: string, told: Partial<Record<Role, string>> = {}): MutationRule => ({
  call,
  refuses: { ...signedOut, demoted: FORBIDDEN, other: FORBIDDEN, owner: FORBIDDEN, ...told },
})

/** Of what all see, for its owner and admins. */
const forOwner = (call: string, more: Omit<MutationRule, 'call' | 'refuses'> = {}): MutationRule => ({
  call,
  refuses: { ...signedOut, demoted: FORBIDDEN, other: FORBIDDEN },
  ...more,
})

/** Of a draft. Those who may not see it don't learn that it exists. */
const forOwnerOfDraft = (
  call: string,
  { owner, ...more }: Omit<MutationRule, 'call' | 'refuses'> & { readonly owner?: string } = {},
): MutationRule => ({
  call,
  refuses: {
    ...signedOut,
    demoted: NOT_FOUND,
    other: NOT_FOUND,
    ...(owner !== undefined && { owner, ...admins(owner) }),
  },
  ...more,
})

const create = (more: string) => `createArticle(input: { title: "New", body: "", ${more} })`
const nothingNew = { changesContent: false }

/** What comes of each field of `Mutation`: whose it is, and whether it is a draft, as far as that matters. */
export const MUTATION_RULES: Readonly<Record<string, readonly MutationRule[]>> = {
  createArticle: [
    { call: create(''), refuses: { ...signedOut, admin: 'BAD_USER_INPUT' } },
    {
      call: create(`authorId: "${ids.bob}"`),
      refuses: { ...signedOut, demoted: FORBIDDEN, owner: FORBIDDEN },
    },
    forAdmins(create(`authorId: "${USERS.nobody}"`), admins('BAD_USER_INPUT')),
  ],
  updateArticle: [
    forOwner(`updateArticle(input: { id: "${ids.published}", title: "Mine" })`),
    forOwnerOfDraft(`updateArticle(input: { id: "${ids.annsDraft}", title: "Mine" })`),
    forOwnerOfDraft(`updateArticle(input: { id: "${ids.annsDraft}", title: "Mine", expectedVersion: 7 })`, {
      owner: 'VERSION_CONFLICT',
    }),
  ],
  publishArticle: [
    forOwner(`publishArticle(id: "${ids.published}")`, nothingNew),
    forOwnerOfDraft(`publishArticle(id: "${ids.annsDraft}")`),
  ],
  unpublishArticle: [
    forOwner(`unpublishArticle(id: "${ids.published}")`),
    forOwnerOfDraft(`unpublishArticle(id: "${ids.annsDraft}")`, nothingNew),
  ],
  deleteArticle: [
    forOwner(`deleteArticle(id: "${ids.published}")`),
    forOwnerOfDraft(`deleteArticle(id: "${ids.annsDraft}")`),
  ],
  setArticleTags: [
    forOwner(`setArticleTags(id: "${ids.published}", tags: [])`),
    forOwnerOfDraft(`setArticleTags(id: "${ids.annsDraft}", tags: ["dogs"])`),
    forOwnerOfDraft(`setArticleTags(id: "${ids.annsDraft}", tags: ["none"])`, { owner: 'BAD_USER_INPUT' }),
  ],
  recordView: [
    { call: `recordView(articleId: "${ids.published}")`, refuses: { deleted: UNAUTHENTICATED }, ...nothingNew },
    {
      call: `recordView(articleId: "${ids.annsDraft}")`,
      refuses: { deleted: UNAUTHENTICATED, visitor: NOT_FOUND, demoted: NOT_FOUND, other: NOT_FOUND },
      ...nothingNew,
    },
  ],
  createTag: [forAdmins('createTag(input: { name: "New" })')],
  updateTag: [forAdmins(`updateTag(input: { id: "${ids.cats}", name: "New" })`)],
  deleteTag: [forAdmins(`deleteTag(id: "${ids.cats}")`)],
  createUser: [
    forAdmins('createUser(input: { username: "new", displayName: "New", email: "new@example.com", role: ADMIN })'),
  ],
  updateUser: [
    forOwner(`updateUser(input: { id: "${ids.ann}", bio: "Writes." })`),
    forAdmins(`updateUser(input: { id: "${ids.bob}", role: ADMIN })`),
    forAdmins(`updateUser(input: { id: "${ids.ann}", role: ADMIN, bio: "x" })`, {}),
  ],
  deleteUser: [
    forAdmins(`deleteUser(id: "${ids.ann}")`, admins('USER_HAS_ARTICLES')),
    forAdmins(`deleteUser(id: "${USERS.dave}")`),
  ],
  invalidateCache: [{ ...forAdmins('invalidateCache(tags: ["articles:1"])'), ...nothingNew }],
}
