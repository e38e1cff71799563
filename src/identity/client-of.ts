import { addressGroup } from './client-address.ts'
import { userIdOf, type Viewer } from './viewer.ts'

/** Names the client whose requests a rate limit counts together: the user, or the group of the address if no user is signed in. */
export function clientOf(viewer: Viewer, address: string): string {
  const userId = userIdOf(viewer)
  return userId === undefined ? `address ${addressGroup(address)}` : `user ${userId}`
}
