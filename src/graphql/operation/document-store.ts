import { createHash } from 'node:crypto'
import { type DocumentNode, Kind, visit } from 'graphql'
import { LRUCache } from 'lru-cache'

/**
 * The valid documents that were asked for last, and more than once, parsed. `Operations` keeps them here, and Apollo finds them. Bounded by
 * the bytes that they take in the heap, which is about a hundred times their text: see `shrink`.
 */
export class DocumentStore {
  readonly #documents: LRUCache<string, DocumentNode>

  /** @param options.maxBytes a document that takes more by itself is not kept */
  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#documents = new LRUCache({ maxSize: maxBytes })
  }

  /** What they take of the heap. */
  get bytes(): number {
    return this.#documents.calculatedSize
  }

  /** Keeps the document of this text, which must be valid. Changes it: see `shrink`. */
  keep(text: string, document: DocumentNode): void {
    const hash = createHash('sha256').update(text).digest('hex')
    this.#documents.set(hash, document, { size: shrink(document) })
  }

  /** As Apollo asks: `key` is a prefix, and the hash of the text. */
  async get(key: string): Promise<DocumentNode | undefined> {
    return this.#documents.get(hashIn(key))
  }

  /** Keeps nothing: whether that is worth it, `Operations` knows. */
  async set(): Promise<void> {}

  async delete(key: string): Promise<boolean> {
    return this.#documents.delete(hashIn(key))
  }
}

const hashIn = (key: string): string => key.slice(-64)

/**
 * Drops what nothing reads once a document is valid, two fifths of its bytes: the chain of its tokens, and the locations of
 * nodes that no error names.
 * @returns how many bytes of the heap the rest takes, within a tenth: `npm run bench -- memory`
 */
export function shrink(document: DocumentNode): number {
  let nodes = 0
  visit(document, {
    enter(node) {
      nodes++
      if (node.kind === Kind.NAME || node.kind === Kind.SELECTION_SET) Object.assign(node, { loc: undefined })
      else if (node.loc) Object.assign(node.loc, { startToken: undefined, endToken: undefined })
    },
  })
  return BYTES_OF_DOCUMENT + BYTES_OF_NODE * nodes + (document.loc?.source.body.length ?? 0)
}

const BYTES_OF_NODE = 165
/** Its key and its place in the store, too. */
const BYTES_OF_DOCUMENT = 700
