import { Presets, SingleBar } from 'cli-progress'
import { InvalidArgumentError } from 'commander'
import type { Progress } from '../content/index.ts'

// What commands share: how they read a number, show progress, print and fail.

/** Ends a command with exit code 1, after it has printed what went wrong. */
export class Failure extends Error {}

/** Ends a command with exit code 2, because its arguments do not go together or name what does not exist. */
export class UsageError extends Error {}

export function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return count
}

/** Runs long work. Shows a progress bar if standard error is a terminal, from the first progress that the work tells of. */
export async function withProgress<T>(
  label: string,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return work(() => {})
  const format = `${label} {bar} {value}/{total}  {duration_formatted}`
  const bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic)
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
