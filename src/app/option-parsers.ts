import { isIP } from 'node:net'
import type { Viewer } from '../identity/index.ts'
import { parseUrl } from '../kernel/parse-url.ts'
import type { Address } from '../redis/index.ts'

/** Reads an option from text. Throws an error whose message completes "must be …", such as a `WrongSecret`. */
export interface Parser<T> {
  (text: string): T
  /** What the text counts. */
  readonly unit?: string
  /** The text is a URL: user and password in it are secret. */
  readonly isUrl?: boolean
}

export const text: Parser<string> = (value) => value

/** Secrets that sign tokens by HMAC with SHA-256, one a line. A shorter key than the hash can be found by trying (RFC 7518, section 3.2). */
export const signingSecrets: Parser<readonly string[]> = (value) => {
  const secrets = value.split(/\r?\n/).filter((line) => line !== '')
  const shortest = Math.min(...secrets.map((secret) => Buffer.byteLength(secret)))
  if (secrets.length === 0 || shortest < MIN_SECRET_BYTES) {
    const got = secrets.length === 0 ? 'an empty one' : `one of ${shortest}`
    throw new WrongSecret(`a secret of at least ${MIN_SECRET_BYTES} bytes, or several, one a line`, got)
  }
  return secrets
}

const MIN_SECRET_BYTES = 32

/** A secret is not what it must be. Says of it only what may be told. */
export class WrongSecret extends Error {
  readonly got: string

  constructor(wanted: string, got: string) {
    super(wanted)
    this.got = got
  }
}

/** Names separated by commas. */
export const names: Parser<readonly string[]> = (value) => {
  const found = value.split(',').map((name) => name.trim())
  if (found.includes('')) throw new Error('a name, or several separated by commas')
  return found
}

/** Names separated by commas, or `*` alone, which stands for any. */
export const namesOrAny: Parser<readonly string[] | '*'> = (value) => {
  if (value === '*') return value
  if (value.split(',').some((name) => name.trim() === '*')) throw new Error('names separated by commas, or * alone')
  return names(value)
}

export const oneOf =
  <const T extends string>(...allowed: readonly T[]): Parser<T> =>
  (value) => {
    const found = allowed.find((name) => name === value)
    if (!found) throw new Error(`one of ${allowed.join(', ')}`)
    return found
  }

export const number =
  (wanted: string, holds: (value: number) => boolean): Parser<number> =>
  (value) => {
    const parsed = Number(value)
    if (value.trim() === '' || !Number.isFinite(parsed) || !holds(parsed)) throw new Error(wanted)
    return parsed
  }

export const whole = (min: number, max: number): Parser<number> =>
  number(`a whole number from ${min} to ${max}`, (value) => Number.isInteger(value) && value >= min && value <= max)

export const positive: Parser<number> = number('a number above 0', (value) => value > 0)

export const atLeastZero: Parser<number> = number('a number, 0 or more', (value) => value >= 0)

/** One value for all roles, or `visitor=…,author=…,admin=…` in any order. */
export const byRole =
  <T>(parse: Parser<T>): Parser<Readonly<Record<Viewer['kind'], T>>> =>
  (value) => {
    const parseOne = (text: string): T => {
      try {
        return parse(text)
      } catch (error) {
        throw new Error(`${(error as Error).message}, or one for each role as visitor=…,author=…,admin=…`)
      }
    }
    if (!value.includes('=')) {
      const all = parseOne(value)
      return { visitor: all, author: all, admin: all }
    }
    const parts = value.split(',').map((part) => part.trim().split('='))
    const textOf = (role: Viewer['kind']): string => {
      const [first, second] = parts.filter(([name]) => name === role)
      return parts.length === 3 && first?.length === 2 && !second ? String(first[1]) : ''
    }
    return {
      visitor: parseOne(textOf('visitor')),
      author: parseOne(textOf('author')),
      admin: parseOne(textOf('admin')),
    }
  }

export const milliseconds = (min: number, max: number): Parser<number> => inUnit('milliseconds', 1, whole(min, max))
/** Read as milliseconds. */
export const seconds = (parse: Parser<number>): Parser<number> => inUnit('seconds', 1000, parse)
/** Read as milliseconds. */
export const minutes = (parse: Parser<number>): Parser<number> => inUnit('minutes', 60_000, parse)
export const bytes = (min: number, max: number): Parser<number> => inUnit('bytes', 1, whole(min, max))
/** Read as bytes, rounded up. */
export const megabytes = (parse: Parser<number>): Parser<number> => inUnit('megabytes', 1024 * 1024, parse)

const inUnit = (unit: string, factor: number, parse: Parser<number>): Parser<number> =>
  Object.assign((value: string) => Math.ceil(parse(value) * factor), { unit })

export const url = (...protocols: readonly string[]): Parser<string> => {
  const parse = (value: string): string => {
    const wanted = `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
    if (!protocols.includes(parseUrl(value)?.protocol ?? '')) throw new Error(wanted)
    return value
  }
  return Object.assign(parse, { isUrl: true })
}

/** A name that SQL takes without quotes, and that is not the server's own. */
export function schemaName(value: string): string {
  if (!/^(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,62}$/.test(value)) {
    throw new Error('the name of a schema: small letters, digits and underscores')
  }
  return value
}

/** Origins of pages, separated by commas, as browsers name them: `https://app.example`, without a path. Or `*` alone, which stands for any. */
export const origins: Parser<readonly string[] | '*'> = (value) => {
  if (value === '*') return value
  return value.split(',').map((item) => {
    const text = item.trim()
    const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#@\s*]+$/i.test(text) ? parseUrl(text)?.origin : undefined
    if (origin === undefined) throw new Error('origins such as https://app.example, separated by commas, or * alone')
    // Apps have schemes of their own, such as `capacitor:`.
    return origin === 'null' ? text.toLowerCase() : origin
  })
}

/** Addresses, networks and names of networks, separated by commas. */
export const proxies: Parser<string> = (value) => {
  const parts = value.split(',').map((part) => part.trim())
  if (!parts.every(isProxy)) throw new Error('addresses or networks such as 10.0.0.0/8, separated by commas')
  return parts.join(',')
}

function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address = '', bits = '1', ...rest] = text.split('/')
  const isNetwork = /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIP(address) === 4 ? 32 : 128)
  return isIP(address) > 0 && isNetwork && rest.length === 0
}

/** A list of `host:port`, separated by commas. */
export const addresses: Parser<readonly Address[]> = (value) =>
  value.split(',').map((item) => {
    const address = item.trim()
    const { hostname = '', port = '', host } = parseUrl(`redis://${address}`) ?? {}
    if (hostname === '' || port === '' || host !== address) {
      throw new Error('a comma-separated list of host:port, such as 10.0.0.1:6379,10.0.0.2:6379')
    }
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
  })
