import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { GuardedRedis } from '../redis/index.ts'
import { compareIds, type Entry, type GivenUp, type JobStream, type StreamState } from './job-stream.ts'

export interface RedisStreamOptions {
  /** Gets no blocking commands, because its breaker would take a waiting command for a slow server. */
  readonly redis: GuardedRedis
  /** The stream's key. Its dead letters are at this key with `:dead` at the end, so a Redis Cluster needs braces in it. */
  readonly key: string
  readonly maxEntries: number
  /** How many dead letters are kept. Default: all. */
  readonly maxDead?: number
  /** Called with each dead letter that was dropped for a newer one. */
  readonly onDropped?: (letter: DeadLetter) => void
}

/** A job that could not be applied, with the reason. */
export interface DeadLetter {
  /** The letter's own id, not the id of the entry that it was. */
  readonly id: string
  readonly buriedAt: string
  readonly job: string
  readonly error: string
  readonly attempts: number
}

/**
 * A queue in a Redis Stream, read through a consumer group. The group's name is the identity of the stream's history: it is
 * part of the same key, so Redis loses and restores it together with the entries.
 *
 * All workers read as one consumer, and the applier's row lock lets one of them work at a time. Therefore the next worker
 * first gets what the last one left unfinished: no batch of a dead worker has to be claimed, and the order is kept.
 */
export class RedisStream implements JobStream {
  readonly isVolatile = false
  readonly #options: RedisStreamOptions
  readonly #key: string
  #identity: string | undefined

  constructor(options: RedisStreamOptions) {
    this.#options = options
    this.#key = options.key
  }

  async add(job: string): Promise<boolean> {
    const { maxEntries } = this.#options
    return (await this.#run(ADD, maxEntries, job, newGroup())) !== null
  }

  async identify(): Promise<string | undefined> {
    if ((await this.#ask((client) => client.xlen(this.#key))) === 0) return undefined
    this.#identity ??= String(await this.#run(IDENTIFY, GROUP_PREFIX, newGroup()))
    return this.#identity
  }

  async take(identity: string, limit: number, decided: string): Promise<readonly Entry[]> {
    const left = await this.#read(identity, limit, '0')
    const fresh = left.length < limit ? await this.#read(identity, limit - left.length, '>') : []
    const taken = [...left, ...fresh]
    if (taken.some(({ id }) => compareIds(id, decided) <= 0)) await this.#run(RAISE, decided)
    return taken
  }

  async remove(identity: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#run(REMOVE, identity, ...ids)
  }

  async bury(identity: string, { id, error, attempts }: GivenUp): Promise<void> {
    const { maxDead = Number.MAX_SAFE_INTEGER, onDropped } = this.#options
    const dropped = await this.#run(BURY, identity, id, error, attempts, maxDead)
    for (const letter of dropped as Reply[]) onDropped?.(toLetter(letter))
  }

  async state(): Promise<StreamState> {
    const replies = await this.#options.redis.at(this.#key, (client) => [
      client.xlen(this.#key),
      client.xrange(this.#key, '-', '+', 'COUNT', 1),
      client.time(),
      client.xlen(this.#deadKey),
    ])
    const [depth, oldest, time, dead] = replies as [number, Reply[], [string, string], number]
    const nowMs = Number(time[0]) * 1000 + Number(time[1]) / 1000
    const [first] = oldest
    return { depth, lagMs: first ? Math.max(0, nowMs - msOf(first[0])) : 0, dead }
  }

  /** Dead letters, oldest first. */
  async letters(limit: number): Promise<readonly DeadLetter[]> {
    const replies = await this.#ask((client) => client.xrange(this.#deadKey, '-', '+', 'COUNT', limit))
    return (replies as Reply[]).map(toLetter)
  }

  /** Queues the job of a dead letter again, even if the stream is full. False if there is no such letter. */
  async replay(id: string): Promise<boolean> {
    return (await this.#run(REPLAY, id, newGroup())) === 1
  }

  /** Deletes a dead letter. False if there is no such letter. */
  async drop(id: string): Promise<boolean> {
    return (await this.#ask((client) => client.xdel(this.#deadKey, id))) === 1
  }

  get #deadKey(): string {
    return `${this.#key}:dead`
  }

  /** Runs one of the scripts below. KEYS of each: stream, dead letters. */
  #run(script: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#ask((client) => client.eval(script, 2, this.#key, this.#deadKey, ...args))
  }

  /** Sends one command to the server that holds this stream. */
  async #ask(send: (client: Redis) => Promise<unknown>): Promise<unknown> {
    const [body] = await this.#options.redis.at(this.#key, (client) => [send(client)])
    return body
  }

  /** @param from '0' for entries that were delivered and not removed, '>' for entries that were never delivered */
  async #read(identity: string, limit: number, from: '0' | '>'): Promise<Entry[]> {
    try {
      const reply = await this.#ask((client) =>
        client.xreadgroup('GROUP', identity, CONSUMER, 'COUNT', limit, 'STREAMS', this.#key, from),
      )
      const [stream] = (reply ?? []) as [string, Reply[]][]
      return (stream?.[1] ?? []).map(([id, fields]) => ({ id, job: fieldsOf(fields).job }))
    } catch (error) {
      // The error may be NOGROUP: this history has ended, and another may have begun.
      this.#identity = undefined
      throw error
    }
  }
}

type Reply = [id: string, fields: string[] | null]

function fieldsOf(flat: readonly string[] | null): Partial<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (let at = 0; flat && at + 1 < flat.length; at += 2) fields[String(flat[at])] = String(flat[at + 1])
  return fields
}

function toLetter([id, fields]: Reply): DeadLetter {
  const { job = '', error = '', attempts } = fieldsOf(fields)
  return { id, buriedAt: new Date(msOf(id)).toISOString(), job, error, attempts: Number(attempts) }
}

const msOf = (id: string): number => Number(id.split('-', 1)[0])

const GROUP_PREFIX = 'workers:'
const newGroup = (): string => GROUP_PREFIX + randomUUID()
const CONSUMER = 'worker'

/**
 * Creates the stream with its group before a script adds to it. The last of ARGV: a new group's name. HAZARD: no replica or
 * dump may hold an entry without the group. If Redis restored it, a new history would begin, and the entry be applied again.
 */
const BEGIN = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[#ARGV], '0', 'MKSTREAM')
end
`

/** ARGV: maximum length, job, a new group's name. Returns the entry's id, or nil if the stream is full. */
const ADD = `
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return false
end
${BEGIN}
return redis.call('XADD', KEYS[1], '*', 'job', ARGV[2])
`

/** ARGV: prefix of groups' names, a new group's name. Returns the name of the group, which is created if absent. */
const IDENTIFY = `
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    if string.sub(group[2], 1, #ARGV[1]) == ARGV[1] then
      return group[2]
    end
  end
end
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[2], '0', 'MKSTREAM')
return ARGV[2]
`

/**
 * Raises the last id of the stream. ARGV: the last decided id. Needed after Redis has restored an earlier
 * state: if its clock is behind too, it would give new entries ids that count as decided.
 */
const RAISE = `
local function before(a, b)
  local a_ms, a_count = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_count = string.match(b, '(%d+)-(%d+)')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  return a_ms < b_ms or (a_ms == b_ms and tonumber(a_count) < tonumber(b_count))
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  return
end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' and before(info[i + 1], ARGV[1]) then
    redis.call('XSETID', KEYS[1], ARGV[1])
  end
end
`

/** ARGV: group, ids. */
const REMOVE = `
local group = table.remove(ARGV, 1)
redis.call('XACK', KEYS[1], group, unpack(ARGV))
redis.call('XDEL', KEYS[1], unpack(ARGV))
`

/**
 * ARGV: group, id, error, attempts, how many letters to keep. Returns the oldest letters, which
 * were dropped: at most 100 at once, in case the number to keep was lowered.
 */
const BURY = `
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if entry then
  redis.call('XADD', KEYS[2], '*', 'job', entry[2][2], 'error', ARGV[3], 'attempts', ARGV[4])
  redis.call('XDEL', KEYS[1], ARGV[2])
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
local over = redis.call('XLEN', KEYS[2]) - tonumber(ARGV[5])
if over <= 0 then
  return {}
end
local dropped = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', math.min(over, 100))
for _, letter in ipairs(dropped) do
  redis.call('XDEL', KEYS[2], letter[1])
end
return dropped
`

/** ARGV: id of a letter, a new group's name. Returns 1 if there was such a letter. */
const REPLAY = `
local letter = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not letter then
  return 0
end
${BEGIN}
redis.call('XADD', KEYS[1], '*', 'job', letter[2][2])
redis.call('XDEL', KEYS[2], ARGV[1])
return 1
`
