import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Context } from '../resolving/index.ts'
import type { Resolvers } from './resolvers.generated.ts'

/** What a room of `domain` adds to the API. */
export interface Room {
  readonly resolvers: Resolvers
  /** For `node(id:)`: the room's types. */
  readonly nodes: { readonly [type: string]: NodeType }
}

/** A type whose objects have global ids. */
interface NodeType {
  /** Finds the object with this row id. Undefined if there is none that the viewer may see. */
  find(id: number, context: Context): PromiseOrValue<object | undefined>
  /** A column that the rows of no other type have. It tells which type a row belongs to. */
  readonly column: string
}
