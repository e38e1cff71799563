import { METHODS } from './request-head.ts'

/** The origins whose pages may call: any (`*`), those of this machine, or those of the list. */
export type CorsOrigins = '*' | 'loopback' | readonly string[]

/** The headers that let pages of other origins call (https://fetch.spec.whatwg.org/#http-cors-protocol), as lines of a head. */
export interface Cors {
  /**
   * An answer for one of several origins needs `Vary: Origin`, also if it was asked for without an origin: a shared cache must not
   * give that one to a page. Any (`*`) or a single origin is named in every answer alike, so that shared caches keep one for all.
   */
  readonly varies: boolean
  /** Those of an answer. @param origin the `Origin` of the request. HAZARD: it is anything that a client writes */
  linesFor(origin: string | undefined): string
  /** Those of an answer to a preflight: what a request of this origin may carry. */
  preflightLinesFor(origin: string | undefined): string
}

/** No cookie is ever taken, so no answer allows credentials. */
export function corsFor(origins: CorsOrigins): Cors {
  const [only] = typeof origins === 'object' && origins.length === 1 ? origins : origins === '*' ? origins : []
  const always = only && allowLines(only)
  const allows = (origin: string): boolean =>
    origins === 'loopback' ? LOOPBACK.test(origin) : origins.includes(origin)
  const linesFor = (origin: string | undefined): string =>
    always ?? (origin !== undefined && allows(origin) ? allowLines(origin) : '')
  return {
    varies: always === undefined,
    linesFor,
    preflightLinesFor: (origin) => {
      const lines = linesFor(origin)
      return lines === '' ? '' : lines + PREFLIGHT_LINES
    },
  }
}

/** Browsers show a page only these headers of an answer, and a few that tell nothing. */
const EXPOSED = [
  'Stet-As-Of',
  'X-Cache',
  'Cache-Status',
  'ETag',
  'Age',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Request-Id',
].join(', ')

const allowLines = (origin: string): string =>
  `access-control-allow-origin: ${origin}\r\naccess-control-expose-headers: ${EXPOSED}\r\n`

/** The headers that mean something here, and any other (`*`), such as those by which GraphQL clients name themselves. `*` doesn't stand for `Authorization`. */
const ALLOWED = [
  'Authorization',
  'Content-Type',
  'If-None-Match',
  'Cache-Control',
  'Stet-As-Of',
  'Stet-Explain',
  'X-Request-Id',
  '*',
].join(', ')

/** For as long as Chromium remembers one: two hours. */
const PREFLIGHT_LINES = [
  `access-control-allow-methods: ${METHODS}`,
  `access-control-allow-headers: ${ALLOWED}`,
  'access-control-max-age: 7200',
  '',
].join('\r\n')

/** HAZARD: anchored. `http://localhost.example` is anywhere. */
const LOOPBACK = /^https?:\/\/(([a-z\d-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/
