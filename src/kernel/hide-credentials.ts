/**
 * A text without the credentials of the URLs in it: user and password before the host, and query parameters such as `password`.
 * Everything else stays as it is.
 *
 * @example hideCredentials('postgres://ann:hunter2@db:5432/stet') // 'postgres://(secret)@db:5432/stet'
 */
export function hideCredentials(text: string): string {
  return text.replace(USER_INFO, `$1${HIDDEN}@`).replace(PARAMETER, `$1${HIDDEN}`)
}

/** What is printed in the place of a secret. */
export const HIDDEN = '(secret)'

/** RFC 3986, section 3.2.1. Up to the last `@`, because some clients take one for a part of the password. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi

/** pg and ioredis read user and password from the query too. */
const PARAMETER = /([?&](?:user(?:name)?|[a-z_]*(?:pass(?:word)?|secret|token))=)[^&#\s]*/gi
