import type { LogPlace } from '../cache/index.ts'

/** `Stet-As-Of`: a log position and the epoch that it belongs to. Opaque to clients. */
export const formatToken = (position: number, epoch: string): string => `${position}.${epoch}`

/** Undefined for what is no token. */
export function parseToken(token: string): LogPlace | undefined {
  const [, position, epoch] = /^(\d{1,15})\.([0-9a-f]{1,32})$/.exec(token) ?? []
  return epoch === undefined ? undefined : { position: Number(position), epoch }
}
