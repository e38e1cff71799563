import type { FileHandle } from 'node:fs/promises'

/**
 * Yields the lines of a file without their \n, and closes it. Yields undefined for a line longer than `maxBytes`, so that a file without
 * line ends cannot fill memory. Not `node:readline`: it also splits at U+2028, which JSON may hold.
 */
export async function* readLines(handle: FileHandle, maxBytes: number): AsyncGenerator<Buffer | undefined> {
  let pieces: Buffer[] = []
  let bytes = 0
  const take = () => {
    const line = bytes > maxBytes ? undefined : Buffer.concat(pieces)
    pieces = []
    bytes = 0
    return line
  }
  const keep = (piece: Buffer) => {
    bytes += piece.length
    if (bytes <= maxBytes) pieces.push(piece)
    else pieces = []
  }
  for await (const chunk of handle.createReadStream({ highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      keep(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    keep(chunk.subarray(start))
  }
  if (bytes > 0) yield take()
}

const LF = 0x0a
