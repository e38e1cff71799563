import type { Database } from '../database/index.ts'
import { signToken, type TokenKeys } from '../identity/index.ts'
import { type Config, ConfigError } from './config.ts'

/** HAZARD: everybody knows it. Demo mode is therefore refused beyond loopback. */
const DEMO_SECRET = 'stet-demo-mode-is-for-loopback-only'

export type KeysInForce = TokenKeys & { readonly demo: boolean }

/** Returns how tokens are verified: demo mode if nothing is configured. Throws a `ConfigError` for both ways at once, and for demo mode beyond loopback. */
export function tokenKeys({ authJwtSecret, authJwksUrl, host }: Config): KeysInForce {
  if (authJwtSecret !== undefined && authJwksUrl !== undefined) {
    throw new ConfigError('Set either AUTH_JWT_SECRET or AUTH_JWKS_URL, not both.')
  }
  if (authJwtSecret !== undefined) return { kind: 'secret', secret: authJwtSecret, demo: false }
  if (authJwksUrl !== undefined) return { kind: 'jwks', url: authJwksUrl, demo: false }
  if (!/^(localhost|127(\.\d+){3}|::1)$/.test(host)) {
    throw new ConfigError(
      `HOST is ${host}, beyond loopback: set AUTH_JWT_SECRET or AUTH_JWKS_URL, so that not everybody is an admin.`,
    )
  }
  return { kind: 'secret', secret: DEMO_SECRET, demo: true }
}

export interface DemoTokens {
  readonly admin: string
  /** The first user's. Undefined while there is none. */
  readonly author: string | undefined
}

/** Makes tokens to try the API with, valid for 30 days. Undefined unless in demo mode. */
export async function makeDemoTokens(keys: KeysInForce, database: Database): Promise<DemoTokens | undefined> {
  if (!keys.demo || keys.kind !== 'secret') return undefined
  const { secret } = keys
  const expiresInSeconds = 30 * 24 * 3600
  const first = await database.primary.selectFrom('users').select('id').orderBy('id').limit(1).executeTakeFirst()
  return {
    admin: await signToken(secret, { role: 'admin', userId: undefined, expiresInSeconds }),
    author: first && (await signToken(secret, { role: 'author', userId: first.id, expiresInSeconds })),
  }
}
