/**
 * What a reply looks like: for `*3 $7 message $3 log $2 hi` that is `{ type: '*', isNull: false, elements: '$$$', word: 'message' }`.
 */
export interface ReplyShape {
  /** Its first byte: `+` a line, `-` an error, `:` a number, `$` a string, `*` an array. */
  readonly type: string
  readonly isNull: boolean
  /** Of an array: the type of each of the first four elements, `_` for one that is null. */
  readonly elements: string
  /** The beginning of a line or an error, or of an array's first string. */
  readonly word: string
}

export interface ReplyListener {
  /** Called with the first byte of each reply. Returns what is wrong with it, if anything. */
  onBegin(): string | undefined
  /** Called when a reply is complete. Returns what is wrong with it, if anything. */
  onReply(shape: ReplyShape): string | undefined
}

/**
 * Checks that bytes are replies in the protocol of Redis, RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec), as
 * they come in. It looks at each reply before a parser does, skips what strings hold, and keeps nothing but a line that is incomplete.
 *
 * HAZARD: the parser of ioredis allocates an array when it reads how long it will be. Ten bytes could take all memory.
 */
export class ReplyScanner {
  readonly #listener: ReplyListener
  /** The line that the last chunk ended in. */
  #line = ''
  /** How many bytes of a string are missing, with the line break after it. */
  #missing = 0
  /** For each array that is incomplete, how many elements are missing. */
  readonly #open: number[] = []
  /** How many elements all arrays of this reply were said to have. */
  #announced = 0
  #shape = { type: '', isNull: false, elements: '', word: '' }
  #isWord = false

  constructor(listener: ReplyListener) {
    this.#listener = listener
  }

  /** True while a reply has begun that isn't complete. */
  get isWithin(): boolean {
    return this.#missing > 0 || this.#open.length > 0 || this.#line !== ''
  }

  /** Returns what is wrong with `chunk`, as it follows the chunks before it. After that, nothing of the connection can be understood. */
  scan(chunk: Buffer): string | undefined {
    let at = 0
    let fault: string | undefined
    while (at < chunk.length && fault === undefined) {
      if (this.#missing > 0) {
        const end = at + this.#missing
        fault = this.#passString(chunk, at, end)
        at = Math.min(end, chunk.length)
      } else if (this.#line === '' && this.#open.length > 0 && isHeader(chunk, at)) {
        // What most elements are: read without a string for each.
        let length = 0
        for (at++; chunk[at] !== CR; at++) length = length * 10 + Number(chunk[at]) - ZERO
        at += 2
        fault = this.#beginString(length)
      } else {
        const end = chunk.indexOf(LF, at)
        fault = this.#passLine(chunk.toString('latin1', at, end < 0 ? chunk.length : end + 1))
        at = end < 0 ? chunk.length : end + 1
      }
    }
    return fault
  }

  #passString(chunk: Buffer, at: number, end: number): string | undefined {
    if (this.#isWord && this.#shape.word.length < MAX_WORD) {
      this.#shape.word += chunk.toString('latin1', at, Math.min(end - 2, at + MAX_WORD))
    }
    const isCut = (place: number, byte: number) => place >= at && place < chunk.length && chunk[place] !== byte
    if (isCut(end - 2, CR) || isCut(end - 1, LF)) return 'a string is not as long as it was said to be'
    this.#missing = Math.max(0, end - chunk.length)
    return this.#missing === 0 ? this.#endElement() : undefined
  }

  #passLine(part: string): string | undefined {
    if (this.#line === '' && this.#open.length === 0) {
      this.#shape = { type: part.charAt(0), isNull: false, elements: '', word: '' }
      this.#announced = 0
      const fault = this.#listener.onBegin()
      if (fault !== undefined) return fault
    }
    const line = this.#line + part
    const isComplete = line.endsWith('\r\n')
    this.#line = isComplete ? '' : line
    if (isComplete) return this.#passElement(line)
    const isText = line.startsWith('+') || line.startsWith('-')
    if (!TYPES.includes(line.charAt(0))) return `no reply begins with ${JSON.stringify(line.charAt(0))}`
    return line.length > (isText ? MAX_TEXT : MAX_NUMBER) || part.endsWith('\n') ? 'a line does not end' : undefined
  }

  /** An element of an array, or a reply that is none, begins with `line`. */
  #passElement(line: string): string | undefined {
    const type = line.charAt(0)
    const text = line.slice(1, -2)
    const isTop = this.#open.length === 0
    if (type === '+' || type === '-') {
      if (isTop) this.#shape.word = text
      return this.#endElement(type)
    }
    if (!TYPES.includes(type)) return `no reply begins with ${JSON.stringify(type)}`
    if (!/^-?\d{1,19}$/.test(text)) return `${JSON.stringify(text.slice(0, 20))} is no number`
    if (type === ':') return this.#endElement(type)
    const length = Number(text)
    if (length === -1) {
      if (isTop) this.#shape.isNull = true
      return this.#endElement('_')
    }
    if (length < 0) return `nothing has a length of ${length}`
    return type === '$' ? this.#beginString(length) : this.#beginArray(length)
  }

  #beginString(length: number): string | undefined {
    if (length > MAX_STRING) return `a string of ${length} bytes is too long`
    this.#isWord = this.#open.length === 1 && this.#shape.elements === ''
    this.#note('$')
    this.#missing = length + 2
    return undefined
  }

  #beginArray(length: number): string | undefined {
    this.#announced += length
    if (this.#announced > MAX_ELEMENTS) return `an array of ${length} elements is too long`
    if (this.#open.length === MAX_DEPTH) return 'arrays are nested too deeply'
    this.#note('*')
    if (length === 0) return this.#endElement()
    this.#open.push(length)
    return undefined
  }

  /** @param type of an element that is a line */
  #endElement(type = ''): string | undefined {
    this.#note(type)
    this.#isWord = false
    for (;;) {
      const missing = this.#open.pop()
      if (missing === undefined) return this.#listener.onReply(this.#shape)
      if (missing === 1) continue
      this.#open.push(missing - 1)
      return undefined
    }
  }

  #note(type: string): void {
    if (this.#open.length === 1 && this.#shape.elements.length < MAX_NOTED) this.#shape.elements += type
  }
}

/** True if the line of a string stands at `at`, as in `$512\r\n`, and has few digits. */
function isHeader(chunk: Buffer, at: number): boolean {
  if (chunk[at] !== DOLLAR) return false
  let end = at + 1
  while (end < at + 8 && Number(chunk[end]) >= ZERO && Number(chunk[end]) <= NINE) end++
  return end > at + 1 && chunk[end] === CR && chunk[end + 1] === LF
}

const DOLLAR = 36
const ZERO = 48
const NINE = 57
const CR = 13
const LF = 10
const TYPES = '+-:$*'
/** What Redis itself allows: `proto-max-bulk-len`. */
const MAX_STRING = 512 * 1024 * 1024
/** Of one reply. An array of so many takes 8 MB when it is allocated. */
const MAX_ELEMENTS = 1_000_000
const MAX_DEPTH = 32
const MAX_TEXT = 64 * 1024
const MAX_NUMBER = 32
const MAX_NOTED = 4
const MAX_WORD = 16
