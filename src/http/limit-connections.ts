import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { addressGroup } from '../identity/index.ts'

export interface ConnectionLimits {
  readonly max: number
  readonly maxPerAddress: number
  /** Addresses of proxies: their connections are those of many clients, and count only among all. */
  readonly trustsProxy: (address: string, hop: number) => boolean
  readonly onRefused: (why: 'connections' | 'connections-of-address') => void
}

/**
 * Bounds the connections to a server, in all and for each address. A connection beyond that is closed at once. At the bound for
 * all, those that wait for no answer are closed too: the next clients find room.
 */
export function limitConnections(server: Server, limits: ConnectionLimits): void {
  const { max, maxPerAddress, trustsProxy, onRefused } = limits
  const counts = new Map<string, number>()
  server.maxConnections = max
  let sweptAtMs = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    onRefused('connections')
    // A walk over all of them.
    if (performance.now() - sweptAtMs < SWEEP_EVERY_MS) return
    sweptAtMs = performance.now()
    server.closeIdleConnections()
  })
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // It has gone already.
    if (remoteAddress === undefined || trustsProxy(remoteAddress, 0)) return
    const address = addressGroup(remoteAddress)
    const count = counts.get(address) ?? 0
    if (count >= maxPerAddress) {
      onRefused('connections-of-address')
      socket.destroy()
      return
    }
    counts.set(address, count + 1)
    socket.once('close', () => {
      const rest = (counts.get(address) ?? 0) - 1
      if (rest > 0) counts.set(address, rest)
      else counts.delete(address)
    })
  })
}

const SWEEP_EVERY_MS = 1000
