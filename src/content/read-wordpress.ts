import type { FileHandle } from 'node:fs/promises'
import sax from 'sax'
import { ContentProblem } from './content-record.ts'
import { UNDECODABLE, XmlDecoder } from './decode-xml.ts'

/** An author, a term or an item of a WordPress export, as it is written there. */
export interface WordpressElement {
  readonly name: 'wp:author' | 'wp:category' | 'wp:tag' | 'wp:term' | 'item'
  readonly line: number
  /** The texts of the elements in it, by their names. */
  readonly fields: ReadonlyMap<string, WordpressField>
  /** The terms that an item is in. */
  readonly terms: readonly WordpressTerm[]
  readonly comments: number
  /** How many fields it has that people made. */
  readonly customFields: number
  /** Why it can't be read. */
  readonly problem?: string
}

interface WordpressField {
  readonly text: string
  /** True if any of it is a CDATA section. */
  readonly isCdata: boolean
  readonly line: number
}

interface WordpressTerm {
  readonly taxonomy: string
  readonly slug: string
  readonly name: string
}

/**
 * Reads a WordPress export (WXR) piece by piece, and closes it. Memory holds one element, and of that no more than `maxLength`
 * UTF-16 code units.
 *
 * Throws a ContentProblem if the file is no WordPress export, ends too early, or is not well-formed from some line on, after
 * it has yielded what came before. Refuses every document type: no entity is ever declared or expanded, within or without.
 *
 * An element that holds bytes or entities that can't be read is yielded with its problem.
 */
export async function* readWordpress(handle: FileHandle, maxLength: number): AsyncGenerator<WordpressElement> {
  const decoder = new XmlDecoder()
  const parser = new WordpressParser(maxLength)
  for await (const bytes of handle.createReadStream({ highWaterMark: 64 * 1024 }) as AsyncIterable<Buffer>) {
    yield* parser.write(decoder.write(bytes))
  }
  yield* parser.write(decoder.end())
  yield* parser.end()
}

// The parser looks at the lengths of its buffers between pieces. It takes time in proportion to the square of the length of a
// declaration: both are short. In UTF-16 code units.
const PIECE = 4096
Object.assign(sax, { MAX_BUFFER_LENGTH: 2 * PIECE })

const ELEMENTS: readonly string[] = [
  'wp:author',
  'wp:category',
  'wp:tag',
  'wp:term',
  'item',
] satisfies readonly WordpressElement['name'][]

/** What is read of them. Anything else is counted. */
const FIELDS = new Set(
  `wp:author_login wp:author_email wp:author_display_name
  wp:category_nicename wp:cat_name wp:category_description wp:tag_slug wp:tag_name wp:tag_description
  wp:term_taxonomy wp:term_slug wp:term_name wp:term_description
  title link pubDate dc:creator content:encoded excerpt:encoded wp:post_id wp:post_date wp:post_date_gmt
  wp:post_modified_gmt wp:post_name wp:status wp:post_type wp:post_password`.split(/\s+/),
)

const CUSTOM_FIELD = 'wp:meta_key'

/** How deep elements may be nested, and how many attributes one may have: far more than any export has. */
const MAX_DEPTH = 100
const MAX_ATTRIBUTES = 100
const MAX_TERMS = 10_000

const NO_EXPORT = 'is no WordPress export: it should begin with <rss>, <channel> and <wp:wxr_version>'
const DOCTYPE =
  'has a document type (<!DOCTYPE>), which can declare entities that grow without end ("billion laughs") or that read other files: it is not read'

/** The parser calls back for each tag and text. This gathers them into elements. */
class WordpressParser {
  readonly #parser = sax.parser(true)
  readonly #maxLength: number
  /** The names of the elements that are open. */
  readonly #path: string[] = []
  #found: WordpressElement[] = []
  #element: Gathered | undefined
  #field:
    | { readonly name: string; readonly line: number; readonly attributes: Attributes; text: string; isCdata: boolean }
    | undefined
  #attributes = 0
  #isExport = false
  #failure: ContentProblem | undefined

  constructor(maxLength: number) {
    this.#maxLength = maxLength
    this.#parser.onerror = (error) => this.#hearError(error)
    this.#parser.ondoctype = () => this.#fail(DOCTYPE)
    this.#parser.onopentagstart = () => {
      this.#attributes = 0
    }
    this.#parser.onattribute = () => {
      if (++this.#attributes > MAX_ATTRIBUTES) this.#fail(`has an element of more than ${MAX_ATTRIBUTES} attributes`)
    }
    this.#parser.onopentag = ({ name, attributes }) => this.#open(name, attributes as Attributes)
    this.#parser.onclosetag = () => this.#close()
    this.#parser.ontext = (text) => this.#hear(text)
    this.#parser.oncdata = (text) => this.#hear(text, true)
  }

  *write(text: string): Generator<WordpressElement> {
    for (let start = 0; start < text.length; start += PIECE) {
      this.#parser.write(text.slice(start, start + PIECE))
      yield* this.#take()
    }
  }

  *end(): Generator<WordpressElement> {
    if (this.#path.length > 0) this.#fail(`ends too early, within <${this.#path.at(-1)}>: it was cut off`)
    this.#parser.close()
    if (!this.#isExport) this.#fail(NO_EXPORT)
    yield* this.#take()
  }

  *#take(): Generator<WordpressElement> {
    yield* this.#found
    this.#found = []
    if (this.#failure) throw this.#failure
  }

  /** Ends the reading. The parser goes on to the end of its piece, unheard. */
  #fail(message: string): void {
    this.#failure ??= new ContentProblem(this.#line, message)
  }

  get #line(): number {
    return this.#parser.line + 1
  }

  #hearError(error: Error): void {
    const [message = ''] = error.message.split('\n', 1)
    if (/(?:character in|character) entity/i.test(message) && !error.message.endsWith('Char: <')) {
      this.#spoil('holds & or an entity that is not known, such as &name;')
      // The parser takes it for text. Where elements begin and end is not in doubt.
      this.#parser.resume()
    } else if (/doctype|sgmlDecl/i.test(message)) {
      this.#fail(DOCTYPE)
    } else {
      this.#fail(`is not well-formed XML from here on: ${message.replace(/\.$/, '')}`)
      this.#parser.resume()
    }
  }

  #open(name: string, attributes: Attributes): void {
    if (this.#failure) return
    const depth = this.#path.push(name)
    if (depth > MAX_DEPTH) this.#fail(`nests elements more than ${MAX_DEPTH} deep`)
    if (depth <= 2 && name !== ['rss', 'channel'][depth - 1]) this.#fail(NO_EXPORT)
    if (depth === 3) this.#openElement(name)
    else if (depth === 4 && this.#element) this.#openField(name, attributes)
    else if (depth === 5 && name === CUSTOM_FIELD)
      this.#field = { name, line: this.#line, attributes: {}, text: '', isCdata: false }
    else if (depth > 4 && this.#field) this.#spoil(`${this.#field.name} holds elements of XML and not text`)
  }

  #openElement(name: string): void {
    if (name === 'wp:wxr_version') this.#isExport = true
    if (!ELEMENTS.includes(name)) return
    if (!this.#isExport) this.#fail(NO_EXPORT)
    this.#element = {
      name: name as WordpressElement['name'],
      line: this.#line,
      fields: new Map(),
      terms: [],
      comments: 0,
      customFields: 0,
      length: 0,
    }
  }

  #openField(name: string, attributes: Attributes): void {
    if (!this.#element) return
    if (FIELDS.has(name) || name === 'category')
      this.#field = { name, line: this.#line, attributes, text: '', isCdata: false }
    else if (name === 'wp:comment') this.#element.comments++
  }

  #hear(text: string, isCdata = false): void {
    const element = this.#element
    const field = this.#field
    if (!element || !field || this.#failure) return
    element.length += text.length
    field.text += text
    field.isCdata ||= isCdata
    if (text.includes(UNDECODABLE)) this.#spoil('holds bytes that are no text in the encoding of the file')
    if (element.length <= this.#maxLength) return
    this.#spoil(`is longer than ${this.#maxLength} characters`)
    // The others are kept: one of them says what the element is.
    element.length -= field.text.length
    field.text = ''
  }

  #spoil(problem: string): void {
    if (this.#element) this.#element.problem ??= problem
  }

  #close(): void {
    if (this.#failure) return
    const depth = this.#path.length
    this.#path.pop()
    if (depth === 4 || (depth === 5 && this.#field?.name === CUSTOM_FIELD)) this.#closeField()
    if (depth !== 3 || !this.#element) return
    this.#found.push(this.#element)
    this.#element = undefined
  }

  #closeField(): void {
    const element = this.#element
    const field = this.#field
    this.#field = undefined
    if (!element || !field) return
    const { name, line, attributes, text, isCdata } = field
    if (name === 'category') {
      element.terms.push({ taxonomy: attributes.domain ?? 'category', slug: attributes.nicename ?? '', name: text })
      if (element.terms.length > MAX_TERMS) this.#spoil(`is in more than ${MAX_TERMS} terms`)
      if (element.problem !== undefined) element.terms = []
    } else if (name === CUSTOM_FIELD) {
      // WordPress and its plugins keep what they need for themselves in fields that begin with _.
      if (!text.startsWith('_')) element.customFields++
    } else {
      // HAZARD: of two statuses, the one that holds back might be passed over.
      if (element.fields.has(name)) this.#spoil(`has ${name} twice`)
      element.fields.set(name, { text, isCdata, line })
    }
  }
}

type Attributes = Readonly<Partial<Record<string, string>>>

interface Gathered extends WordpressElement {
  readonly fields: Map<string, WordpressField>
  comments: number
  customFields: number
  terms: WordpressTerm[]
  problem?: string
  length: number
}
