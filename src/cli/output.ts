import { Presets, SingleBar } from 'cli-progress'
import type { Progress } from '../content/index.ts'

/** The command did what it could, and said what went wrong: exit code 1. */
export class Failure extends Error {}

/** The arguments make no sense together, or for what is there: exit code 2. */
export class UsageError extends Error {}

/** Prints a result: as one line of JSON, or for people. */
export function print(
  result: object,
  { json, text }: { readonly json?: boolean | undefined; readonly text: string },
): void {
  console.log(json ? JSON.stringify(result) : text)
}

/** Runs long work, with a progress bar where standard error is a terminal. */
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
