import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import path from 'node:path'
import { ContentProblem } from './content-record.ts'

/**
 * Opens a file below `root` for reading. Throws a ContentProblem if it is no regular file, or if a link leads out of `root`.
 *
 * What was looked at may be replaced before it is opened. So the file is opened first, and then the path is looked at: it must
 * lead to the very file that is open.
 *
 * @param root without links in its own path
 */
export async function openFile(root: string, file: string): Promise<FileHandle> {
  const whole = path.join(root, file)
  // Without O_NONBLOCK, opening a FIFO waits for a writer.
  const handle = await open(whole, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const opened = await handle.stat()
    if (!opened.isFile()) throw new ContentProblem(1, NOT_REGULAR)
    const real = await realpath(whole)
    if (!isBelow(root, real)) throw new ContentProblem(1, LEADS_OUT)
    const named = await lstat(real)
    if (named.dev !== opened.dev || named.ino !== opened.ino) throw new ContentProblem(1, 'changed while it was read')
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The bytes of a file, undefined if there are more than `maxBytes`. Never reads more than that, even if the file grows. */
export async function readWhole(handle: FileHandle, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of handle.createReadStream({ end: maxBytes, autoClose: false }) as AsyncIterable<Buffer>) {
    pieces.push(piece)
    length += piece.length
  }
  return length > maxBytes ? undefined : Buffer.concat(pieces)
}

/** @param real without links */
export const isBelow = (root: string, real: string): boolean =>
  real.startsWith(root.endsWith(path.sep) ? root : `${root}${path.sep}`)

export const LEADS_OUT = 'is a link that leads out of the folder'
export const NOT_REGULAR = 'is not a regular file'
