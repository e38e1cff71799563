/** Headers of every answer that tell browsers what not to do with it. HAZARD: a page's own policy must not be weaker. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

/** The same, as lines of a head. */
export const SAFE_LINES = Object.entries(SAFE_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')

/** For answers that came to the client by TLS (RFC 6797): browsers then use nothing else for a year. */
export const SECURE_HEADER = 'max-age=31536000'
export const SECURE_LINE = `strict-transport-security: ${SECURE_HEADER}\r\n`
