export { Authenticator, signToken, type TokenKeys } from './authenticate.ts'
export { clientOf } from './client-of.ts'
export { fromGlobalId, parseGlobalId, toGlobalId } from './global-id.ts'
export { isSelfOrAdmin, requireAdmin, requireSignedIn, userIdOf, type Viewer, visitor } from './viewer.ts'
