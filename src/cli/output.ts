import { Presets, SingleBar } from 'cli-progress'
import type { Progress } from '../content/index.ts'

/** Ends a command with exit code 1, after it has printed what went wrong. */
export class Failure extends Error {}

/** Ends a command with exit code 2, because its arguments do not go together or name what does not exist. */
export class UsageError extends Error {}

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

/** Runs long work. Shows a progress bar if standard error is a terminal. */
export async function withProgress<T>(
  label: string,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const bar = new SingleBar(
    { format: `${label} {bar} {value}/{total}  {duration_formatted}`, stream: process.stderr },
    Presets.shades_classic,
  )
  const shown = process.stderr.isTTY === true
  if (shown) bar.start(0, 0)
  try {
    return await work(({ done, total }) => {
      if (!shown) return
      bar.setTotal(total ?? done)
      bar.update(done)
    })
  } finally {
    bar.stop()
  }
}
