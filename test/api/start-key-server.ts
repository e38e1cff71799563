import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'

export interface KeyServer {
  readonly url: string
  /** Whether it answers; otherwise 500. */
  isUp: boolean
  /** The `Authorization` header of each request. */
  readonly asked: (string | undefined)[]
  close(): void
}

/** Publishes keys, as an identity provider does. */
export async function startKeyServer(keys: readonly JWK[]): Promise<KeyServer> {
  const server = createServer(({ headers }, response) => {
    keyServer.asked.push(headers.authorization)
    response.writeHead(keyServer.isUp ? 200 : 500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const keyServer: KeyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys.json`,
    isUp: true,
    asked: [],
    close: () => server.close(),
  }
  return keyServer
}
