import { isIP, isIPv6 } from 'node:net'
import { userIdOf, type Viewer } from './viewer.ts'

/** Names the client whose requests a rate limit counts together: the user, or the group of the address if no user is signed in. */
export function clientOf(viewer: Viewer, address: string): string {
  const userId = userIdOf(viewer)
  return userId === undefined ? `address ${addressGroup(address)}` : `user ${userId}`
}

/**
 * The address that a request came from. HAZARD: whoever sends it wrote the end of this list, and could be another client with
 * each request. What is no address counts for nothing: then the last proxy that is believed is the client.
 *
 * @param addresses that of the connection, then those that proxies tell of, as far as each was told by a proxy that is believed
 * @example clientAddress(['10.0.0.1', '192.0.2.7']) // '192.0.2.7'
 * @example clientAddress(['10.0.0.1', '192.0.2.7:5060']) // '10.0.0.1'
 */
export const clientAddress = (addresses: readonly (string | undefined)[]): string =>
  addresses.findLast((address) => address !== undefined && isIP(address) > 0) ?? ''

/**
 * Names the addresses that one client usually has: an IPv4 address, also if it is written as IPv6, or the network of 64 bits
 * of an IPv6 address.
 *
 * @example addressGroup('::ffff:192.0.2.1') // '192.0.2.1'
 * @example addressGroup('2001:db8:1:2::6') // '2001:db8:1:2::/64'
 */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address
  const groups = groupsOf(address)
  const [sixth = 0, seventh = 0, eighth = 0] = groups.slice(5)
  if (sixth === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return [seventh >> 8, seventh & 0xff, eighth >> 8, eighth & 0xff].join('.')
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** The eight groups of an IPv6 address. The last two may be written as an IPv4 address (RFC 4291, section 2.2). */
function groupsOf(address: string): readonly number[] {
  const [text = ''] = address.split('%')
  const hex = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_ipv4, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = [], tail = []] = hex.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16))
}
