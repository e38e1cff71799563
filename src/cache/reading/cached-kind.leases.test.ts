import { expect, it } from '@jest/globals'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import {
  processesHolding,
  quiet,
  type TinyProcess,
  type TinyProcessOptions,
} from '../../../test/models/tiny-process.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'

const LEASE_MS = 1000

it('loads a key once that a thousand ask for in four processes', async () => {
  const { processes, remote } = sharing(4)
  await processes[0].rows.get('a')
  processes[0].clock.advance(60_000)
  const held = processes.map((process) => process.hold())
  const reads = processes.flatMap(({ rows }) => Array.from({ length: 250 }, () => rows.get('a')))
  await quiet()
  for (const { release } of held) release()
  expect(new Set(await Promise.all(reads))).toEqual(new Set(['1']))
  expect(loadsOf(processes)).toHaveLength(2)
  leavesNothing(processes, remote)
})

it('waits for nobody where nobody would wake it', async () => {
  const { processes, remote } = sharing(2)
  remote.wakes = false
  const held = processes.map((process) => process.hold())
  const reads = processes.map(({ rows }) => rows.get('a'))
  await Promise.all(held.map(({ begun }) => begun))
  for (const { release } of held) release()
  expect(await Promise.all(reads)).toEqual(['1', '1'])
  leavesNothing(processes, remote)
})

it('waits for nobody, and asks for no lease, where a key has none', async () => {
  const { processes, remote } = sharing(2, { kind: { isLeased: (key) => key !== 'a' } }, { a: '1', b: '2' })
  const held = processes.map((process) => process.hold())
  const reads = processes.map(({ rows }) => rows.get('a'))
  await Promise.all(held.map(({ begun }) => begun))
  expect(remote.leases.size).toBe(0)
  for (const { release } of held) release()
  expect(await Promise.all(reads)).toEqual(['1', '1'])
  // Others still take turns.
  const { release } = processes[0].hold()
  const others = [processes[0].rows.get('b'), processes[1].rows.get('b')]
  await quiet()
  expect(remote.leases.size).toBe(1)
  release()
  expect(await Promise.all(others)).toEqual(['2', '2'])
  expect(loadsOf(processes).sort()).toEqual(['a', 'a', 'b'])
  leavesNothing(processes, remote)
})

it('tells who watches that it waits for another', async () => {
  const awaited: string[] = []
  const { processes } = sharing(2, { observer: { onLeaseAwaited: (kind) => void awaited.push(kind) } })
  const { release } = processes[0].hold()
  const reads = processes.map(({ rows }) => rows.get('a'))
  await quiet()
  release()
  await Promise.all(reads)
  expect(awaited).toEqual(['row'])
})

it('loads each of 200 keys once for a thousand requests, whoever gets which', async () => {
  const keys = Array.from({ length: 200 }, (_, index) => `row ${index}`)
  const { processes, remote } = sharing(4, {}, Object.fromEntries(keys.map((key) => [key, key])))
  const reads = Array.from({ length: 1000 }, async (_, request) => {
    const wanted = [0, 1, 2].map((offset) => keys[(request * 7 + offset * 31) % 200] as string)
    expect(await at(processes, request).rows.getMany(wanted)).toEqual(wanted)
  })
  await Promise.all(reads)
  expect(loadsOf(processes).sort()).toEqual([...keys].sort())
  leavesNothing(processes, remote)
})

it('waits no longer than the lease of a holder that died', async () => {
  const { processes } = sharing(4)
  const { begun } = processes[0].hold()
  void processes[0].rows.get('a').catch(() => {})
  await begun
  const reads = processes.slice(1).flatMap(({ rows }) => [rows.get('a'), rows.get('a')])
  await quiet()
  expect(loadsOf(processes)).toHaveLength(1)
  processes[0].clock.advance(LEASE_MS)
  expect(new Set(await Promise.all(reads))).toEqual(new Set(['1']))
  expect(loadsOf(processes)).toHaveLength(2)
})

it('waits no longer than two leases, though every next holder dies as well', async () => {
  const { processes, remote } = sharing(4)
  for (const dying of processes.slice(0, 3)) dying.hold()
  const dead = processes.slice(0, 3).map(({ rows }) => rows.get('a').catch(() => 'never'))
  const read = settledAt(processes[3].rows.get('a'), processes[3].clock)
  const startedAtMs = processes[3].clock.now()
  await pass(processes[3].clock, 2 * LEASE_MS)
  expect((await read) - startedAtMs).toBe(2 * LEASE_MS)
  await pass(processes[3].clock, 10_000)
  await Promise.all(dead)
  leavesNothing(processes, remote)
})

it('takes over at once from a holder whose load has failed', async () => {
  const { processes, remote } = sharing(4)
  const { begun, release } = processes[0].hold()
  const failing = processes[0].rows.get('a')
  await begun
  const reads = processes.slice(1).map(({ rows }) => rows.get('a'))
  await quiet()
  processes[0].failure = new Error('connection lost')
  release()
  await expect(failing).rejects.toThrow('connection lost')
  expect(await Promise.all(reads)).toEqual(['1', '1', '1'])
  expect(loadsOf(processes)).toHaveLength(2)
  leavesNothing(processes, remote)
})

it('takes the lease from a holder that a write has overtaken, and does not wait', async () => {
  const { processes, remote } = sharing(3)
  const { begun, release } = processes[0].hold()
  const early = processes[0].rows.get('a')
  await begun
  const waiting = processes[1].rows.get('a')
  await quiet()
  processes[0].writeAndFollow('a', '2')
  for (const process of processes) process.follow()
  expect(await processes[2].rows.get('a')).toBe('2')
  expect(await waiting).toBe('2')
  release()
  expect(await early).toBe('1')
  expect(await processes[0].rows.get('a')).toBe('2')
  expect(loadsOf(processes)).toHaveLength(2)
  leavesNothing(processes, remote)
})

it('waits for a holder that knows of the write', async () => {
  const { processes } = sharing(2)
  processes[0].writeAndFollow('a', '2')
  processes[1].follow()
  const { begun, release } = processes[0].hold()
  const reads = processes.map(({ rows }) => rows.get('a'))
  await begun
  await quiet()
  release()
  expect(await Promise.all(reads)).toEqual(['2', '2'])
  expect(loadsOf(processes)).toHaveLength(1)
})

it('does not leave the lease to one of its own loads that a write has overtaken', async () => {
  const { processes, remote } = sharing(1)
  const { begun, letOthersPass, release } = processes[0].hold()
  const early = processes[0].rows.get('a')
  await begun
  letOthersPass()
  processes[0].writeAndFollow('a', '2')
  expect(await processes[0].rows.get('a')).toBe('2')
  release()
  await early
  leavesNothing(processes, remote)
})

it('loads in every process where the remote tier fails', async () => {
  const { processes, remote } = sharing(4)
  remote.failure = new Error('Redis down')
  expect(await Promise.all(processes.map(({ rows }) => rows.get('a')))).toEqual(['1', '1', '1', '1'])
  expect(loadsOf(processes)).toHaveLength(4)
  leavesNothing(processes, remote)
})

it('goes on without a lease where the remote tier fails while it waits', async () => {
  const { processes, remote } = sharing(2)
  const { begun } = processes[0].hold()
  void processes[0].rows.get('a').catch(() => {})
  await begun
  const waiting = processes[1].rows.get('a')
  await quiet()
  remote.failure = new Error('Redis down')
  processes[1].clock.advance(LEASE_MS)
  expect(await waiting).toBe('1')
})

it('loads in every process where there are no leases, and hangs nowhere', async () => {
  for (const leaseMs of [0, LEASE_MS]) {
    const { processes, remote } = sharing(3, { kind: { leaseMs } })
    if (leaseMs > 0) withoutLeases(remote)
    const held = processes.map((process) => process.hold())
    const reads = processes.map(({ rows }) => rows.get('a'))
    await quiet()
    for (const { release } of held) release()
    expect(await Promise.all(reads)).toEqual(['1', '1', '1'])
    expect(loadsOf(processes)).toHaveLength(3)
    leavesNothing(processes, remote)
  }
})

it('gives the lease back only when what it loaded can be found', async () => {
  const { processes, remote } = sharing(1)
  const { release } = remote
  let stored: number | undefined
  remote.release = (key, holder) => {
    stored = remote.stored.size
    release.call(remote, key, holder)
  }
  await processes[0].rows.get('a')
  expect(stored).toBe(1)
})

it('gives back a lease that was granted to who has given up meanwhile', async () => {
  const { processes, remote } = sharing(1, { kind: { leaseMs: LEASE_MS, loadTimeout: { hardMs: 100 } } })
  const answer = slowly(remote)
  const read = processes[0].rows.get('a')
  await quiet()
  processes[0].clock.advance(100)
  await expect(read).rejects.toThrow('could not be loaded within 100 ms')
  answer()
  await quiet()
  expect(loadsOf(processes)).toEqual([])
  expect(remote.leases.size).toBe(0)
  leavesNothing(processes, remote)
})

it('waits for nobody any more when it has given up', async () => {
  const { processes, remote } = sharing(2, { kind: { leaseMs: LEASE_MS, loadTimeout: { hardMs: 100 } } })
  const { begun } = processes[0].hold()
  const reads = Promise.allSettled([processes[0].rows.get('a')])
  await begun
  const waiting = Promise.allSettled([processes[1].rows.get('a')])
  await quiet()
  expect(remote.waitedFor).toBe(1)
  processes[0].clock.advance(100)
  await Promise.all([reads, waiting])
  await quiet()
  expect(loadsOf(processes)).toHaveLength(1)
  leavesNothing(processes, remote)
})

it('refreshes in one process what all of them serve stale', async () => {
  const { processes, remote } = sharing(4, { kind: { ttlMs: 1000, grace: { staleWhileRevalidateMs: 500 } } })
  for (const { rows } of processes) await rows.get('a')
  processes[0].writeAndFollow('a', '2', [])
  processes[0].clock.advance(1000)
  const held = processes.map((process) => process.hold())
  for (const { rows } of processes) expect(await rows.get('a')).toBe('1')
  await quiet()
  for (const { release } of held) release()
  await quiet()
  for (const { rows } of processes) expect(await rows.get('a')).toBe('2')
  expect(loadsOf(processes)).toHaveLength(2)
  leavesNothing(processes, remote)
})

it('does not wait for another process where a reader reads through', async () => {
  const { processes } = sharing(2)
  const { begun } = processes[0].hold()
  void processes[0].rows.get('a').catch(() => {})
  await begun
  expect(await processes[1].rows.get('a', { bypass: true })).toBe('1')
})

it('fails for the tags of a key as it fails without leases', async () => {
  let odd = false
  const tags = (key: string) => {
    if (odd) throw new Error('no tags')
    return [`rows:${key}`]
  }
  const { processes, remote } = sharing(2, { kind: { tags } })
  const { begun, release } = processes[0].hold()
  const one = processes[0].rows.get('a')
  await begun
  odd = true
  await expect(processes[1].rows.get('a')).rejects.toThrow('no tags')
  odd = false
  release()
  expect(await one).toBe('1')
  leavesNothing(processes, remote)
})

/** Processes with one remote tier and one clock, which judges the leases too. */
function sharing(count: number, options: TinyProcessOptions = {}, rows: Readonly<Record<string, string>> = { a: '1' }) {
  const clock = new ManualClock()
  const remote = new TinyRemote(clock)
  const kind = { leaseMs: LEASE_MS, jitter: 0, ...options.kind }
  const processes = processesHolding(count, rows, { ...options, remote, clock, kind })
  return { processes: processes as [TinyProcess, TinyProcess, TinyProcess, TinyProcess], remote }
}

const at = (processes: readonly TinyProcess[], index: number) => processes[index % processes.length] as TinyProcess

const loadsOf = (processes: readonly TinyProcess[]) =>
  processes.flatMap(({ loads }) => loads.flatMap(({ keys }) => keys))

function leavesNothing(processes: readonly TinyProcess[], remote: TinyRemote): void {
  for (const { rows, clock } of processes) expect([rows.loading, clock.waiting]).toEqual([0, 0])
  expect(remote.waitedFor).toBe(0)
}

/** Like a tier that knows nothing of leases. */
function withoutLeases(remote: TinyRemote): void {
  const { read } = remote
  remote.read = async (wanted) =>
    read.call(
      remote,
      wanted.map(({ key }) => ({ key })),
    )
}

/** Its next answer comes when that is let go, and is what it would have been at once. */
function slowly(remote: TinyRemote): () => void {
  const { read } = remote
  let answer = () => {}
  const open = new Promise<void>((resolve) => {
    answer = resolve
  })
  remote.read = async (wanted) => {
    const found = await read.call(remote, wanted)
    await open
    return found
  }
  return answer
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await quiet()
    clock.advance(100)
  }
  await quiet()
}

async function settledAt(read: Promise<unknown>, clock: ManualClock): Promise<number> {
  await read.catch(() => {})
  return clock.now()
}
