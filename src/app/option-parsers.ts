import { isIP } from 'node:net'
import type { Address } from '../redis/index.ts'

/** How options are read from text. Each throws an error whose message completes "must be …". */

export const text = (value: string): string => value

export const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (value: string): T => {
    const found = allowed.find((name) => name === value)
    if (!found) throw new Error(`one of ${allowed.join(', ')}`)
    return found
  }

export const number =
  (wanted: string, holds: (value: number) => boolean, factor = 1) =>
  (value: string): number => {
    const parsed = Number(value)
    if (value.trim() === '' || !Number.isFinite(parsed) || !holds(parsed)) throw new Error(wanted)
    return parsed * factor
  }

export const whole = (min: number, max: number) =>
  number(`a whole number from ${min} to ${max}`, (value) => Number.isInteger(value) && value >= min && value <= max)

export const positive = (factor = 1) => number('a number above 0', (value) => value > 0, factor)

export const atLeastZero = (factor = 1) => number('a number, 0 or more', (value) => value >= 0, factor)

export const url =
  (...protocols: readonly string[]) =>
  (value: string): string => {
    const wanted = `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) throw new Error(wanted)
    return value
  }

/** Addresses, networks and names of networks, separated by commas. */
export function proxies(value: string): string {
  const parts = value.split(',').map((part) => part.trim())
  if (!parts.every(isProxy)) throw new Error('addresses or networks such as 10.0.0.0/8, separated by commas')
  return parts.join(',')
}

function isProxy(text: string): boolean {
  const [address = '', bits = '1', ...rest] = text.split('/')
  const isNetwork = /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIP(address) === 4 ? 32 : 128)
  return (
    ['loopback', 'linklocal', 'uniquelocal'].includes(text) || (isIP(address) > 0 && isNetwork && rest.length === 0)
  )
}

export const addresses = (value: string): readonly Address[] =>
  value.split(',').map((item) => {
    const address = item.trim()
    const canParse = URL.canParse(`redis://${address}`)
    const { hostname, port, host } = canParse ? new URL(`redis://${address}`) : { hostname: '', port: '', host: '' }
    if (hostname === '' || port === '' || host !== address) {
      throw new Error('a comma-separated list of host:port, such as 10.0.0.1:6379,10.0.0.2:6379')
    }
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
  })
