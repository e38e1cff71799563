import type { Database } from '../database/index.ts'
import { signToken, type TokenKeys } from '../identity/index.ts'
import { type Config, ConfigError } from './config.ts'

/** The secret of demo mode is no secret, which is why it is for loopback only. */
const DEMO_SECRET = 'stet-demo-mode-is-for-loopback-only'

export type KeysInForce = TokenKeys & { readonly demo: boolean }

/** How tokens are verified. With nothing configured: demo mode, which is refused beyond loopback. */
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

/** Tokens to try the API with, in demo mode. */
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
