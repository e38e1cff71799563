import type { Database } from '../database/index.ts'
import { signToken, type TokenKeys, type TokenOptions, type TokenRules } from '../identity/index.ts'
import { type Config, ConfigError } from './config.ts'

/** HAZARD: everybody knows it. Demo mode is therefore refused beyond loopback. */
const DEMO_SECRET = 'stet-demo-mode-is-for-loopback-only'

export type KeysInForce = TokenKeys & { readonly demo: boolean }

/** Returns the keys that verify tokens: demo mode if none are configured. Throws a `ConfigError` for demo mode beyond loopback. */
export function tokenKeys({ authJwtSecrets, authJwksUrl, host }: Config): KeysInForce {
  if (authJwtSecrets !== undefined) return { kind: 'secret', secrets: authJwtSecrets, demo: false }
  if (authJwksUrl !== undefined) return { kind: 'jwks', url: authJwksUrl, demo: false }
  if (!/^(localhost|127(\.\d+){3}|::1)$/.test(host)) {
    throw new ConfigError(
      `HOST is ${host}, beyond loopback: set AUTH_JWT_SECRET or AUTH_JWKS_URL, so that not everybody is an admin.`,
    )
  }
  return { kind: 'secret', secrets: [DEMO_SECRET], demo: true }
}

/** What a token must say to be taken, whichever key signed it. */
export const tokenRules = (config: Config): TokenRules => ({
  audience: config.authAudience,
  issuers: config.authIssuers,
  clockToleranceMs: config.authClockToleranceMs,
  maxAgeMs: config.authMaxTokenAgeMs,
})

/** Signs tokens with the first of the secrets. */
export function tokenSigner(config: Config, keys: KeysInForce) {
  const [secret] = keys.kind === 'secret' ? keys.secrets : []
  if (secret === undefined) throw new ConfigError('With AUTH_JWKS_URL set, tokens are signed elsewhere, not here.')
  return (options: TokenOptions) => signToken(secret, options, tokenRules(config))
}

export interface DemoTokens {
  readonly admin: string
  /** The first user's. Undefined while there is none. */
  readonly author: string | undefined
}

/** Makes tokens to try the API with, valid for 30 days. Undefined unless in demo mode. */
export async function makeDemoTokens(
  config: Config,
  keys: KeysInForce,
  database: Database,
): Promise<DemoTokens | undefined> {
  if (!keys.demo) return undefined
  const sign = tokenSigner(config, keys)
  const expiresInSeconds = 30 * 24 * 3600
  const first = await database.primary.selectFrom('users').select('id').orderBy('id').limit(1).executeTakeFirst()
  return {
    admin: await sign({ role: 'admin', userId: undefined, expiresInSeconds }),
    author: first && (await sign({ role: 'author', userId: first.id, expiresInSeconds })),
  }
}
