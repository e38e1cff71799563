import { type DocumentNode, Kind, visit } from 'graphql'
import { LRUCache } from 'lru-cache'

/**
 * The valid documents that were asked for last, parsed, as Apollo takes such a store. Bounded by the bytes that they take in the heap,
 * which is about a hundred times their text: see `shrink`.
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

  async get(key: string): Promise<DocumentNode | undefined> {
    return this.#documents.get(key)
  }

  /** Changes the document: see `shrink`. */
  async set(key: string, document: DocumentNode): Promise<void> {
    this.#documents.set(key, document, { size: shrink(document) })
  }

  async delete(key: string): Promise<boolean> {
    return this.#documents.delete(key)
  }
}

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
