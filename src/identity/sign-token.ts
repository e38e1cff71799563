import { SignJWT } from 'jose'
import { toGlobalId } from './global-id.ts'
import type { TokenRules } from './verify-token.ts'

export interface TokenOptions {
  readonly role: 'author' | 'admin'
  /** A row id. An author needs one. Of an admin with one, the user's row must say that too: see `Authenticator`. */
  readonly userId: number | undefined
  readonly expiresInSeconds: number
}

/** Signs a token that `Authenticator` takes by the same secret and rules. It expires no later than `rules.maxAgeMs` allows. */
export function signToken(
  secret: string,
  { role, userId, expiresInSeconds }: TokenOptions,
  { audience, issuers, maxAgeMs = Number.POSITIVE_INFINITY }: TokenRules = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const [issuer] = issuers ?? []
  const [firstAudience] = audience === '*' ? [] : (audience ?? [])
  const claims = {
    role,
    ...(userId !== undefined && { sub: toGlobalId('User', userId) }),
    ...(issuer !== undefined && { iss: issuer }),
    ...(firstAudience !== undefined && { aud: firstAudience }),
  }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt(now)
    .setExpirationTime(now + Math.min(expiresInSeconds, Math.floor(maxAgeMs / 1000)))
    .sign(new TextEncoder().encode(secret))
}
