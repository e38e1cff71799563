import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { ContentProblem } from './content-record.ts'

/** Stands for each byte that is no text in its encoding. Half a surrogate pair: no text that can be decoded holds it. */
export const UNDECODABLE = '\uDC80'

/**
 * Decodes the pieces of an XML file, as its byte order mark or its declaration says, and as UTF-8 if neither does. A byte that is
 * no text becomes UNDECODABLE, so that it costs the one element that holds it, and not the file.
 */
export class XmlDecoder {
  #decode: ((bytes: Buffer) => string) | undefined
  /** Bytes of a character whose others are still to come. */
  #rest: Buffer = Buffer.alloc(0)

  /** Decodes the next piece. Throws a ContentProblem for an encoding that isn't known. */
  write(bytes: Buffer): string {
    this.#decode ??= this.#choose(bytes)
    return this.#decode(bytes)
  }

  /** What is left when the file has ended: the beginning of a character. */
  end(): string {
    return this.#rest.length > 0 ? UNDECODABLE : ''
  }

  #choose(start: Buffer): (bytes: Buffer) => string {
    const encoding = encodingOf(start)
    let decoder: TextDecoder
    try {
      decoder = new TextDecoder(encoding)
    } catch {
      throw new ContentProblem(1, `has the encoding ${JSON.stringify(encoding)}, which is not known`)
    }
    if (decoder.encoding === 'utf-8') return (bytes) => this.#decodeUtf8(bytes)
    return (bytes) => decoder.decode(bytes, { stream: true }).replaceAll('\uFFFD', UNDECODABLE)
  }

  #decodeUtf8(bytes: Buffer): string {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes
    const end = all.length - lengthOfUnfinished(all)
    this.#rest = Buffer.from(all.subarray(end))
    const whole = all.subarray(0, end)
    if (isUtf8(whole)) return whole.toString()
    // U+FFFD may be meant: it stands for bad bytes only between those that were written.
    return whole
      .toString('latin1')
      .split(WRITTEN_REPLACEMENT)
      .map((piece) => Buffer.from(piece, 'latin1').toString().replaceAll('\uFFFD', UNDECODABLE))
      .join('\uFFFD')
  }
}

/** The bytes of U+FFFD, each as a character. */
const WRITTEN_REPLACEMENT = Buffer.from('\uFFFD').toString('latin1')

function encodingOf(start: Buffer): string {
  const head = start.subarray(0, 200).toString('latin1')
  if (/^\xff\xfe|^<\0\?\0/.test(head)) return 'utf-16le'
  if (/^\xfe\xff|^\0<\0\?/.test(head)) return 'utf-16be'
  if (head.startsWith('\xef\xbb\xbf')) return 'utf-8'
  return /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]+)/i.exec(head)?.[1] ?? 'utf-8'
}

/** How many bytes at the end begin a UTF-8 character without finishing it. */
function lengthOfUnfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? back : 0
  }
  return 0
}
