import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose'

/** The keys that verify bearer tokens: shared secrets (HS256), or the keys published at a URL. */
export type TokenKeys =
  | { readonly kind: 'secret'; readonly secrets: readonly string[] }
  | { readonly kind: 'jwks'; readonly url: string }

/** What a token must say, beside its role and its expiry. */
export interface TokenRules {
  /** Names of this API. The token's `aud` must hold one of them. `*`: it may hold any. Undefined: the token must have no `aud`. */
  readonly audience?: readonly string[] | '*' | undefined
  /** The token's `iss` must be one of them. Undefined: it is not looked at. */
  readonly issuers?: readonly string[] | undefined
  /** By how much the clock of a token may differ from ours. Default: 0. */
  readonly clockToleranceMs?: number | undefined
  /** How long after its `iat` a token is taken. Undefined: until its `exp`. */
  readonly maxAgeMs?: number | undefined
}

/** A token's claims, and until when they count. */
export interface Verified {
  readonly claims: JWTPayload
  readonly untilMs: number
}

/** Returns what verifies tokens. It rejects with an error of jose, or with why the keys can't be read: see `areKeysUnreadable`. */
export function tokenVerifier(keys: TokenKeys, rules: TokenRules): (token: string) => Promise<Verified> {
  const verify = keys.kind === 'secret' ? bySecrets(keys.secrets, rules) : byPublishedKeys(keys.url, rules)
  return async (token) => {
    const { payload: claims, protectedHeader } = await verify(token)
    if (!isBearerType(protectedHeader.typ)) throw new errors.JWTInvalid('it is of another type (typ)')
    // RFC 7519, section 4.1.3: a token for somebody else must be refused, and without a name of our own each is for somebody else.
    if (rules.audience === undefined && claims.aud !== undefined) {
      throw new errors.JWTClaimValidationFailed(
        'it is for an audience (aud), and AUTH_AUDIENCE is not set',
        claims,
        'aud',
      )
    }
    return { claims, untilMs: endOf(claims, rules) }
  }
}

type Verify = (token: string) => Promise<JWTVerifyResult>

function bySecrets(secrets: readonly string[], rules: TokenRules): Verify {
  const options = optionsFor(['HS256'], rules)
  const keys = secrets.map((secret) => createSecretKey(secret, 'utf8'))
  return async (token) => {
    const key = keys.find((each) => isSignedBy(each, token))
    // Most bad tokens end here. The rest of a token is read, by jose, only if one of the secrets signed it.
    if (!key) throw new errors.JWSSignatureVerificationFailed()
    return jwtVerify(token, key, options)
  }
}

function isSignedBy(key: KeyObject, token: string): boolean {
  const end = token.lastIndexOf('.')
  const given = Buffer.from(token.slice(end + 1), 'base64url')
  const expected = createHmac('sha256', key)
    .update(token.slice(0, Math.max(0, end)))
    .digest()
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** HAZARD: HS256 must not be among them. With it, a published key would serve as a shared secret that everybody knows. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

function byPublishedKeys(url: string, rules: TokenRules): Verify {
  const options = optionsFor(ASYMMETRIC, rules)
  const address = new URL(url)
  const { username, password } = address
  address.username = ''
  address.password = ''
  // `fetch` takes no URL with credentials.
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers = username || password ? { authorization: `Basic ${credentials}` } : undefined
  const published = createRemoteJWKSet(address, headers && { headers })
  return (token) => jwtVerify(token, published, options)
}

function optionsFor(
  algorithms: string[],
  { audience, issuers, clockToleranceMs, maxAgeMs }: TokenRules,
): JWTVerifyOptions {
  return {
    algorithms,
    requiredClaims: ['exp', 'role'],
    clockTolerance: (clockToleranceMs ?? 0) / 1000,
    ...(audience && audience !== '*' && { audience: [...audience] }),
    ...(issuers && { issuer: [...issuers] }),
    ...(maxAgeMs !== undefined && { maxTokenAge: maxAgeMs / 1000 }),
  }
}

/** Other types serve other ends: a token that logs out, or proves that a key is held (RFC 8725, section 3.11). */
function isBearerType(typ: unknown): boolean {
  if (typ === undefined) return true
  return typeof typ === 'string' && /^(application\/)?(at\+)?jwt$/i.test(typ)
}

function endOf({ exp = 0, iat = 0 }: JWTPayload, { clockToleranceMs = 0, maxAgeMs }: TokenRules): number {
  const end = maxAgeMs === undefined ? exp * 1000 : Math.min(exp * 1000, iat * 1000 + maxAgeMs)
  return end + clockToleranceMs
}

/** True if the published keys could not be read, which says nothing about the token. */
export const areKeysUnreadable = (error: Error): boolean =>
  !(error instanceof errors.JOSEError) || UNREADABLE.includes(error.code)

const UNREADABLE: readonly string[] = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code]

/** True if the token will never be valid. Otherwise its time may come, or its key may be published yet. */
export const isFinal = (error: Error): boolean =>
  !(error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWKSNoMatchingKey)
