import { createWriteStream, openSync, rmSync } from 'node:fs'
import { access, constants, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Writable } from 'node:stream'

/**
 * Writes a file in such a way that its path leads to what was there, or to the whole new content, and never to a part of it.
 * The content is written to a file beside it (`.<name>.<process id>.part`), synced, and renamed.
 *
 * If `write` fails, or a signal ends the process, what was there stays and the part is removed. After SIGKILL the part is left.
 * A link is followed, unless it leads nowhere, as to a disk that is away: that is an error. The file's mode is kept, and a file that may not be written is not replaced. A device or a pipe is
 * written as it is: it holds nothing that could be lost.
 *
 * @param write ends the stream, and resolves once everything is written
 */
export async function replaceFile<T>(file: string, write: (destination: Writable) => Promise<T>): Promise<T> {
  const found = await stat(file).catch(undefinedIfAbsent)
  if (found && !found.isFile()) return write((await open(file, 'w')).createWriteStream())
  if (!found && (await lstat(file).catch(undefinedIfAbsent))) throw new Error(`${file} is a link that leads nowhere`)
  const target = found ? await realpath(file) : file
  if (found) await access(target, constants.W_OK)
  const part = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.part`)
  // Before there is a part: a signal may come at any time.
  const forget = removeIfSignalled(part)
  let destination: Writable | undefined
  try {
    destination = createWriteStream(part, { fd: openSync(part, 'w') })
    const result = await write(destination)
    await sync(part, found && found.mode & 0o7777)
    await rename(part, target)
    await sync(path.dirname(target))
    return result
  } catch (error) {
    destination?.destroy()
    await rm(part, { force: true })
    throw error
  } finally {
    forget()
  }
}

function undefinedIfAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Removes a file when a signal ends this process. The signal then does what it does otherwise. Returns how to stop that. */
function removeIfSignalled(file: string): () => void {
  const remove = (signal: NodeJS.Signals) => {
    rmSync(file, { force: true })
    forget()
    process.kill(process.pid, signal)
  }
  const forget = () => {
    for (const signal of SIGNALS) process.off(signal, remove)
  }
  for (const signal of SIGNALS) process.on(signal, remove)
  return forget
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Makes what is written outlast a power cut: the text of a file, or the names in a folder. Windows can't open a folder, and needs no such thing. */
async function sync(place: string, mode?: number): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(place)
  try {
    if (mode !== undefined) await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
