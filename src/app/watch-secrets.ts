import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Authenticator } from '../identity/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { type Config, readSecrets } from './config.ts'
import { warnOf } from './log-events.ts'

export interface WatchSecretsOptions {
  readonly config: Config
  readonly logger: Logger
  readonly authenticator: Authenticator
}

/**
 * Has tokens verified by the secrets that AUTH_JWT_SECRET_FILE holds now: it is read again every second. If it can't be read,
 * the secrets read before remain in force. Returns what stops that.
 *
 * The secrets are compared, not the times of the file, because it may be exchanged in many ways: written over, renamed, or behind
 * a link that leads elsewhere from then on, as Kubernetes has it.
 */
export function watchSecrets({ config, logger, authenticator }: WatchSecretsOptions): () => void {
  const { authJwtSecretFile: file } = config
  // A pipe can be read only once.
  if (file === undefined || !statSync(file).isFile()) return () => {}
  const onError = warnOf(
    logger,
    'AUTH_JWT_SECRET_FILE could not be read again: the secrets read before remain in force',
  )
  let inForce = config.authJwtSecrets
  const timer = setInterval(() => {
    try {
      const secrets = readSecrets(file)
      if (isDeepStrictEqual(secrets, inForce)) return
      inForce = secrets
      authenticator.replaceKeys({ kind: 'secret', secrets })
      logger.info(
        { file, secrets: secrets.length },
        'AUTH_JWT_SECRET_FILE holds other secrets: they verify tokens from now on',
      )
    } catch (error) {
      onError(error as Error)
    }
  }, READ_AGAIN_MS)
  timer.unref()
  return () => clearInterval(timer)
}

const READ_AGAIN_MS = 1000
