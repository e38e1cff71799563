import { Presets, SingleBar } from 'cli-progress'
import { InvalidArgumentError } from 'commander'
import type { Progress } from '../content/index.ts'

// What commands share: how they read a number, show progress, print and fail.

/** Ends a command with exit code 1, after it has printed what went wrong. */
export class Failure extends Error {}

/** Ends a command with exit code 130, as shells have it for Ctrl-C. What was written stays. */
export class Interrupted extends Error {
  constructor({ done, total = done }: Progress) {
    super(
      done === 0
        ? 'stopped before the first batch was written'
        : `stopped after ${done} of ${total}; run again, it goes on`,
    )
  }
}

/** Ends a command with exit code 2, because its arguments do not go together or name what does not exist. */
export class UsageError extends Error {}

export function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return count
}

/**
 * Runs long work. Shows a progress bar if `stream` is a terminal, from the first progress that the work tells of: before
 * that nobody knows how much there is.
 */
export async function withProgress<T>(
  label: string,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stderr,
): Promise<T> {
  if (!stream.isTTY) return work(() => {})
  const format = `${label} {bar} {value}/{total}  {duration_formatted}`
  // At a signal the bar would end itself, and keep the process from ending. Lines would not wrap after that.
  const options = { format, stream, gracefulExit: false, linewrap: true }
  const bar = new SingleBar(options, Presets.shades_classic)
  try {
    return await work(({ done, total = done }) => {
      if (!bar.isActive) bar.start(total, done)
      bar.setTotal(total)
      bar.update(done)
    })
  } finally {
    bar.stop()
  }
}

interface Watched {
  readonly onProgress: (progress: Progress) => void
  /** Aborted once the process gets SIGINT or SIGTERM. The work then returns what it has done. */
  readonly signal: AbortSignal
}

/**
 * Runs long work that ends early, and not in the middle of a write, if a signal says so. Shows its progress.
 *
 * @returns what the work returns, and how far it came if a signal stopped it
 */
export async function untilStopped<T>(
  label: string,
  work: (watched: Watched) => Promise<T>,
): Promise<{ readonly result: T; readonly stopped: Progress | undefined }> {
  const controller = new AbortController()
  // Further signals change nothing: npm passes on a Ctrl-C that the command got from the terminal, too.
  const stop = () => controller.abort()
  let last: Progress = { done: 0, total: 1 }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    const result = await withProgress(label, (onProgress) =>
      work({
        signal: controller.signal,
        onProgress: (progress) => {
          last = progress
          onProgress(progress)
        },
      }),
    )
    const isWhole = last.done === (last.total ?? last.done)
    return { result, stopped: controller.signal.aborted && !isWhole ? last : undefined }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

/** Prints a result as one line of JSON, or as text for people. */
export function print(
  result: object,
  { json, text }: { readonly json?: boolean | undefined; readonly text: string },
): void {
  console.log(json ? JSON.stringify(result) : text)
}

/** A title, and below it one line for each row with its name. */
export const formatRows = (title: string, rows: readonly (readonly [name: string, text: string])[]): string =>
  [title, ...rows.map(([name, text]) => `${name.padEnd(9)} ${text}`)].join('\n')

export const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
