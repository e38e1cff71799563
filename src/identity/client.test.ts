import { expect, it } from '@jest/globals'
import { addressGroup, clientAddress, clientOf } from './client.ts'
import { visitor } from './viewer.ts'

it('names a signed-in user by their id, whatever their address', () => {
  expect(clientOf({ kind: 'author', userId: 7 }, '192.0.2.1')).toBe('user 7')
  expect(clientOf({ kind: 'admin', userId: 7 }, '192.0.2.2')).toBe('user 7')
  expect(clientOf({ kind: 'admin', userId: undefined }, '192.0.2.2')).toBe('address 192.0.2.2')
})

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:0DB8::1', '2001:db8:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['::fffe:192.0.2.1', '0:0:0:0::/64'],
  ['1:0:0:0:0:ffff:192.0.2.1', '1:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('names a visitor by their address, or by the network of an IPv6 address: %s', (address, expected) => {
  expect(clientOf(visitor, address)).toBe(`address ${expected}`)
  expect(addressGroup(address)).toBe(expected)
})

it.each([
  [['127.0.0.1'], '127.0.0.1'],
  [['127.0.0.1', '192.0.2.1'], '192.0.2.1'],
  [['127.0.0.1', '2001:db8::1'], '2001:db8::1'],
  [['127.0.0.1', '10.0.0.1', 'x1'], '10.0.0.1'],
  [['127.0.0.1', '192.0.2.1:5060'], '127.0.0.1'],
  [['127.0.0.1', '[2001:db8::1]'], '127.0.0.1'],
  [['127.0.0.1', '192.0.2.01'], '127.0.0.1'],
  [['127.0.0.1', ''], '127.0.0.1'],
  [[undefined], ''],
])('believes of what a request tells only addresses: %j', (addresses, expected) => {
  expect(clientAddress(addresses)).toBe(expected)
})
