import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { type FieldHint, fieldHints } from '../schema/index.ts'
import { DocumentStore } from './document-store.ts'
import { isOfSchema } from './introspection.ts'
import { type DocumentLimits, parseWithin } from './limit-document.ts'
import { isValidDocument } from './validate-document.ts'

/** What must be known of an operation to find its answer without running it. */
export interface Operation {
  readonly type: OperationTypeNode | `${OperationTypeNode}`
  /** Its document in one spelling: whatever was written differently and means the same is the same here. */
  readonly text: string
  /** Seconds for which its answer may be kept, as the schema says: 0 is not at all. A resolver may say less. */
  readonly maxAge: number
  /** True if a part of it is for one viewer alone. */
  readonly isPrivate: boolean
  /** The field that says so, as `Query.viewer`, of each of the two. Undefined if none does. */
  readonly decidedBy: { readonly maxAge: string | undefined; readonly scope: string | undefined }
  /** Learnt by running it: no resolver looked at the viewer when it was first executed, with whichever variables. */
  readonly learnt: { ignoresViewer?: boolean }
  /** Its document, parsed. Undefined if it isn't valid. Asked for again, it is kept by `DocumentStore` and the executor while there is room. */
  document: WeakRef<DocumentNode> | undefined
}

/** What a request may hold. */
export interface RequestLimits extends DocumentLimits {
  /** How many values its variables may hold. */
  readonly maxValues: number
}

/** The operations that were asked for lately, and the documents of those that were asked for more than once. */
export class Operations {
  readonly limits: RequestLimits
  readonly #schema: GraphQLSchema
  readonly #keepsIntrospection: boolean
  readonly #documents: DocumentStore
  readonly #hintOf: ReturnType<typeof fieldHints>
  readonly #known: LRUCache<string, Known>

  /**
   * @param options.keepsIntrospection false: no answer that tells the schema is kept, because not everyone may be given it
   * @param options.maxBytes of the heap, for what is known of all operations together
   * @param options.documents where valid documents are kept
   */
  constructor(
    limits: RequestLimits,
    schema: GraphQLSchema,
    {
      keepsIntrospection = true,
      maxBytes = 8 * 1024 * 1024,
      documents = new DocumentStore({ maxBytes: 8 * 1024 * 1024 }),
    } = {},
  ) {
    this.limits = limits
    this.#schema = schema
    this.#keepsIntrospection = keepsIntrospection
    this.#documents = documents
    this.#known = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ operation }, key) => key.length + operation.text.length + BYTES_OF_OPERATION,
    })
    this.#hintOf = fieldHints(this.#schema)
  }

  /**
   * The operation of that name in a document. Undefined if there is none, or the document doesn't parse: Apollo says what is wrong, also
   * with a document that isn't valid.
   * Throws QUERY_TOO_COMPLEX for a document beyond the limits.
   */
  find(query: string, name: string | undefined): Operation | undefined {
    const key = name === undefined ? query : `${name}\0${query}`
    const known = this.#known.get(key)
    if (known?.isAskedAgain) return known.operation
    const read = this.#read(query, name, known?.operation.learnt)
    if (!read) return undefined
    const { operation, document } = read
    if (known && document) this.#documents.keep(query, document)
    // HAZARD: not even a WeakRef to a document that was asked for once: V8 collects what it refers to with the old objects. Of
    // those that nobody asks for again, all would grow old.
    this.#known.set(
      key,
      known ? { operation, isAskedAgain: true } : { operation: { ...operation, document: undefined } },
    )
    return operation
  }

  #read(query: string, name: string | undefined, learnt: Operation['learnt'] = {}): Read | undefined {
    const document = parseWithin(query, this.limits)
    const definition = document && getOperationAST(document, name)
    if (!document || !definition) return undefined
    const { maxAge, isPrivate, decidedBy } = this.#policyOf(document, definition)
    // Subscriptions are refused, valid or not.
    const mayBeRun = definition.operation !== OperationTypeNode.SUBSCRIPTION
    const valid = mayBeRun && isValidDocument(this.#schema, document) ? document : undefined
    const operation = {
      type: definition.operation,
      text: print(document),
      maxAge,
      isPrivate,
      decidedBy,
      learnt,
      document: valid && new WeakRef(valid),
    }
    return { operation, document: valid }
  }

  /** The least of all fields that may be asked for, whatever `@skip` and `@include` will say. */
  #policyOf(document: DocumentNode, operation: OperationDefinitionNode): Policy {
    const types = new TypeInfo(this.#schema)
    let maxAge = Number.POSITIVE_INFINITY
    let shortest: string | undefined
    let firstPrivate: string | undefined
    const visitor = visitWithTypeInfo(types, {
      Field: ({ name }) => {
        for (const { hint, of } of this.#hintsOf(types, name.value)) {
          if (hint.maxAge !== undefined && hint.maxAge < maxAge) {
            maxAge = hint.maxAge
            shortest = `${of}.${name.value}`
          }
          if (hint.scope === 'PRIVATE') firstPrivate ??= `${of}.${name.value}`
        }
      },
    })
    for (const definition of document.definitions) {
      if (definition === operation || definition.kind === Kind.FRAGMENT_DEFINITION) visit(definition, visitor)
    }
    return {
      maxAge: Number.isFinite(maxAge) ? maxAge : 0,
      isPrivate: firstPrivate !== undefined,
      decidedBy: { maxAge: shortest, scope: firstPrivate },
    }
  }

  /** Of a field that is asked for. Behind an interface it may be that of any type which implements it. */
  #hintsOf(types: TypeInfo, name: string): readonly { readonly hint: FieldHint; readonly of: string | undefined }[] {
    const parent = types.getParentType()
    const field = types.getFieldDef()
    // There is no such field: nothing to keep.
    if (!parent || !field) return [{ hint: { maxAge: 0 }, of: parent?.name }]
    if (isOfSchema(name) && !this.#keepsIntrospection) return [{ hint: { maxAge: 0 }, of: parent.name }]
    const possible = isAbstractType(parent) ? this.#schema.getPossibleTypes(parent) : []
    const others = possible.flatMap((type) => {
      const its = type.getFields()[name]
      return its ? [{ hint: this.#hintOf(type, its), of: type.name }] : []
    })
    return [{ hint: this.#hintOf(parent, field), of: parent.name }, ...others]
  }
}

interface Known {
  readonly operation: Operation
  /** It was asked for more than once, and has its document if that is valid. */
  readonly isAskedAgain?: true
}

/** An operation that was read now. */
interface Read {
  readonly operation: Operation
  /** Undefined if it isn't valid. */
  readonly document: DocumentNode | undefined
}

/** Beside its texts. */
const BYTES_OF_OPERATION = 450

type Policy = Pick<Operation, 'maxAge' | 'isPrivate' | 'decidedBy'>
