import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { Config } from './config.ts'

/** What this process may use, in bytes. */
export interface Memory {
  /** The limit of V8's heap: of `--max-old-space-size`, otherwise what Node takes of the machine or the container. */
  readonly heap: number
  /** The machine's, or the container's. */
  readonly whole: number
}

/** What may be kept in memory, in bytes if not said otherwise. */
export interface MemoryBounds {
  /** The memory tier: rows, lists and answers. In the heap. */
  readonly entries: number
  /** What CACHE_MEMORY_MAX_MB may say without a warning. */
  readonly mostEntries: number
  /** Documents, parsed. In the heap. */
  readonly documents: number
  /** Plans of operations, counted in fields. In the heap. */
  readonly plannedFields: number
  /** What is known of operations by their text. In the heap. */
  readonly operations: number
  /** Bodies of requests in flight. */
  readonly bodies: number
  /** Answers that clients have not read yet. Beside the heap. */
  readonly unread: number
  /** What doesn't fit: lines for the log. */
  readonly warnings: readonly string[]
}

type Chosen = Pick<Config, 'cacheMemoryMaxBytes' | 'requestMaxBytesInFlight' | 'answerMaxBytesUnread'>

/**
 * Shares out the memory. What an option says holds, even if it doesn't fit; otherwise each bound is a share, up to the size from which more
 * is of little use. What the process needs by itself and what the garbage collector needs to keep pace stay free.
 *
 * @example memoryBounds(config, { heap: 368 * MB, whole: 512 * MB }).entries // 64 MB, unless CACHE_MEMORY_MAX_MB says otherwise
 */
export function memoryBounds(chosen: Chosen, { heap, whole }: Memory = memoryOfProcess()): MemoryBounds {
  const documents = Math.min(64 * MB, heap / 8)
  const entries = chosen.cacheMemoryMaxBytes ?? shareOf(heap / 5, 64 * MB)
  const beside = whole - heap - BESIDE_HEAP
  const bodies = chosen.requestMaxBytesInFlight ?? shareOf(beside / 3, 64 * MB)
  const unread = chosen.answerMaxBytesUnread ?? shareOf((beside * 2) / 3, 256 * MB)
  const room = heap * FULL - AT_REST - documents
  const warnings = [
    room < SMALLEST &&
      `A heap of ${inMb(heap)} MB is too small to serve many documents quickly: give node --max-old-space-size=256 or more.`,
    room >= SMALLEST &&
      entries > room &&
      `CACHE_MEMORY_MAX_MB is ${inMb(entries)}, but a heap of ${inMb(heap)} MB has room for ${inMb(room)}: once that is full, garbage collection takes most of the time. Give less, or node a larger --max-old-space-size.`,
    bodies + unread > beside &&
      `A heap of ${inMb(heap)} MB, ${inMb(bodies)} MB of requests (REQUEST_MAX_MB_IN_FLIGHT) and ${inMb(unread)} MB of answers (ANSWER_MAX_MB_UNREAD) may together take more than the ${inMb(whole)} MB there are: give less, or node a smaller --max-old-space-size.`,
  ].filter((warning) => warning !== false)
  return {
    entries,
    mostEntries: Math.max(0, Math.floor(room)),
    documents: Math.floor(documents * 0.6),
    plannedFields: Math.floor((documents * 0.25) / BYTES_OF_PLANNED_FIELD),
    operations: Math.floor(documents * 0.15),
    bodies,
    unread,
    warnings,
  }
}

/** Never so little that a node can't serve at all. */
const shareOf = (share: number, most: number): number => Math.floor(Math.max(SMALLEST, Math.min(most, share)))

function memoryOfProcess(): Memory {
  const machine = totalmem()
  // 0, or more than there is: no container limits it.
  const container = process.constrainedMemory()
  return { heap: getHeapStatistics().heap_size_limit, whole: container > 0 ? Math.min(container, machine) : machine }
}

const MB = 1024 * 1024
const inMb = (bytes: number): number => Math.floor(bytes / MB)

/** The share of the heap beyond which V8 collects garbage most of the time. */
const FULL = 0.75
/** Of the heap: code, the schema, connections, requests under way, and what is bounded by number alone. */
const AT_REST = 75 * MB
/** Of the process: V8's code, libraries, stacks, buffers of sockets. */
const BESIDE_HEAP = 64 * MB
/** Less than that is of no use: a request may have 4 MB. */
const SMALLEST = 8 * MB
/** With what belongs to it. */
const BYTES_OF_PLANNED_FIELD = 770
