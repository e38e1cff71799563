import { randomInt } from 'node:crypto'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { hasCode } from './has-code.ts'

/**
 * A port that nobody listens on and no other worker of this run is given.
 *
 * It lies below the range from which systems take the local ports of outgoing connections: a client that keeps
 * reconnecting to a dead server inside that range may take the server's port, or even connect to itself.
 */
export async function reservePort(runDirectory: string): Promise<number> {
  const taken = join(runDirectory, 'ports')
  mkdirSync(taken, { recursive: true })
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(15_000, 32_000)
    if (claim(join(taken, String(port))) && (await isFree(port))) return port
  }
  throw new Error('found no free port between 15000 and 32000 in 100 attempts')
}

function claim(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx'))
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
