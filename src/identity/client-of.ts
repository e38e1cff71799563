import { isIPv6 } from 'node:net'
import { userIdOf, type Viewer } from './viewer.ts'

/**
 * Names the client whose requests a rate limit counts together: the user, or the address if no user is signed in. Of an
 * IPv6 address only the first 64 bits count, because one client usually has all addresses that begin with them.
 */
export function clientOf(viewer: Viewer, address: string): string {
  const userId = userIdOf(viewer)
  if (userId !== undefined) return `user ${userId}`
  return isIPv6(address) && !address.includes('.') ? `address ${networkOf(address)}` : `address ${address}`
}

function networkOf(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const whole = [...groups, ...Array<string>(missing).fill('0'), ...(tail ? tail.split(':') : [])]
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
