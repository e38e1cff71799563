import type { FaultProxy } from '../harness/index.ts'
import type { StruckWorld } from './scenario.ts'
import type { Servers } from './servers/servers.ts'

export interface Affliction {
  /** Where the proxies lead. */
  readonly to: string
  readonly proxies: readonly FaultProxy[]
  /** What happens to what passes, as in "is delayed by 300 ms". */
  readonly what: string
  readonly harm: (proxy: FaultProxy) => unknown
  readonly leastMs?: number
  readonly mostMs?: number
}

/** For a while, what passes between one node, some or all of them, and a server suffers. */
export async function afflict(
  { dice, hold, note }: Pick<StruckWorld<Servers>, 'dice' | 'hold' | 'note'>,
  { to, proxies, what, harm, leastMs = 500, mostMs = 1500 }: Affliction,
): Promise<void> {
  const some = dice.some([...proxies.keys()])
  const struck = some.length > 0 ? some : [dice.below(proxies.length)]
  const where = `what passes between node ${struck.join(', ')} and ${to}`
  note(`${where} ${what}`)
  for (const node of struck) await harm(proxies[node] as FaultProxy)
  await hold(leastMs, mostMs)
  for (const node of struck) await proxies[node]?.restore()
  note(`${where} does so as ever`)
}
