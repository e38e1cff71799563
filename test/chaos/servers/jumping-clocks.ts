import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getTestRun } from '../../harness/index.ts'
import { type PlainServers, plainServers } from './plain-servers.ts'
import { clockSetBy } from './shifted-clock.ts'

/** As plain servers, before nodes whose clocks can be set. */
export interface JumpingClocks extends PlainServers {
  /** Sets the clock of a node to so many milliseconds after the right time. */
  setClock(node: number, byMs: number): void
}

export async function jumpingClocks(nodes: number): Promise<JumpingClocks> {
  const servers = await plainServers(nodes)
  const files = Array.from({ length: nodes }, () => join(getTestRun().directory, `clock-${randomUUID()}`))
  const setClock = (node: number, byMs: number) => writeFileSync(files[node] ?? '', String(byMs))
  for (const node of files.keys()) setClock(node, 0)
  return {
    ...servers,
    environmentOf: (node) => ({ ...servers.environmentOf(node), NODE_OPTIONS: clockSetBy(files[node] ?? '') }),
    setClock,
    async heal() {
      for (const node of files.keys()) setClock(node, 0)
      await servers.heal()
    },
  }
}
