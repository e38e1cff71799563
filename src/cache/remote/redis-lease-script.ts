import type { Redis } from 'ioredis'
import { type GuardedRedis, type Keyring, signMessage } from '../../redis/index.ts'
import type { Found, LeaseRequest, ReadRequest } from './remote-tier.ts'

/** An entry to read together with a lease on its key. */
export type LeasedRead = ReadRequest & { readonly lease: LeaseRequest }

/** Call it once, before any lease is asked for. */
export function defineLeaseScripts(redis: GuardedRedis): void {
  redis.define('stetLease', { lua: LEASE })
  redis.define('stetRelease', { lua: RELEASE, numberOfKeys: 1 })
}

/** Sends one command that reads each entry and, if it must be loaded, asks for its lease. `parseLeases` reads its reply. */
export function askForLeases(client: Redis, leasePrefix: string, reads: readonly LeasedRead[]): Promise<unknown> {
  const keys = reads.flatMap(({ key }) => [key, leaseKey(leasePrefix, key)])
  const args = reads.flatMap(({ lease: { holder, ms, evenIfFound, from } }) => [
    holder,
    wholeMs(ms),
    evenIfFound ? 1 : 0,
    from ?? '',
  ])
  return scripted(client).stetLeaseBuffer(keys.length, keys, args)
}

/** What `reads` found, in their order. */
export function parseLeases(reply: unknown, reads: readonly LeasedRead[]): Found[] {
  const replies = reply as readonly LeaseReply[]
  return reads.map(({ lease }, index) => parseLease(replies[index], lease.holder))
}

function parseLease([bytes, heldBy, leftMs]: LeaseReply = [null, null, 0], asker: string): Found {
  const found = bytes ?? undefined
  if (!heldBy) return { bytes: found }
  const holder = heldBy.toString()
  return { bytes: found, lease: holder === asker ? 'mine' : { holder, leftMs: Math.max(0, leftMs) } }
}

/** Sends a command that ends the lease if `holder` has it, and tells `channel` if a process waits for it. */
export function giveLeaseBack(
  client: Redis,
  { key, holder }: HeldLease,
  { leasePrefix, channel = '', keyring }: LeaseOptions,
): Promise<unknown> {
  return scripted(client).stetRelease(leaseKey(leasePrefix, key), holder, channel, signMessage(channel, key, keyring))
}

/** Redis counts in whole milliseconds, of which a life has at least one. */
export const wholeMs = (ms: number): number => Math.max(1, Math.ceil(ms))

/** In the same slot of a Redis Cluster as the entry, whose key has no braces of its own. */
const leaseKey = (prefix: string, key: string): string => `${prefix}{${key}}`

/**
 * A lease is a string: '+' if a process waits for it, otherwise '-', then its holder.
 *
 * KEYS: entry and lease, in turns. ARGV: holder, milliseconds, 1 or 0 for `evenIfFound`, `from` or '', in turns.
 * Returns for each: the entry or nil, the holder or nil, for how long at most.
 *
 * A process that waits for a lease that is taken away waits for the next holder, so the mark stays. If Redis takes no writes,
 * because it is full or a replica, no process is refused: one that can't have the lease, or can't be woken, loads without.
 * A lease without an end, and a value of another type, are none of Stet's: they count as nothing.
 */
const LEASE = `
local function get(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value
end
local found = {}
for i = 1, #KEYS / 2 do
  local entry, lease = get(KEYS[2 * i - 1]), KEYS[2 * i]
  local holder, ms, even_if_found, from = unpack(ARGV, 4 * i - 3, 4 * i)
  local held_by, left = false, 0
  if not entry or even_if_found == '1' then
    local held = get(lease)
    local mark = '-'
    held_by = holder
    left = redis.call('PTTL', lease)
    if held and left >= 0 then
      mark, held_by = string.sub(held, 1, 1), string.sub(held, 2)
    end
    if held_by == holder or held_by == from then
      held_by = holder
      redis.pcall('SET', lease, mark .. holder, 'PX', ms)
    elseif type(redis.pcall('SETRANGE', lease, 0, '+')) == 'table' then
      held_by = holder
    end
  end
  found[i] = { entry, held_by, left }
end
return found
`

/** KEYS: lease. ARGV: holder, channel or '', what to publish there. */
const RELEASE = `
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 2) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if string.sub(held, 1, 1) == '+' and ARGV[2] ~= '' then
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return 1
`

type LeaseReply = readonly [bytes: Buffer | null, heldBy: Buffer | null, leftMs: number]

/** The lease on the entry `key`, and who has it. */
interface HeldLease {
  readonly key: string
  readonly holder: string
}

export interface LeaseOptions {
  readonly leasePrefix: string
  readonly channel: string | undefined
  /** Signs what the channel is told. */
  readonly keyring: Keyring | undefined
}

/** A client that has the scripts. */
const scripted = (client: Redis): ScriptedClient => client as unknown as ScriptedClient

interface ScriptedClient {
  stetLeaseBuffer(keyCount: number, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  stetRelease(leaseKey: string, holder: string, channel: string, message: string): Promise<unknown>
}
