import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Context } from '../resolving/index.ts'
import type { Resolvers } from './resolvers.generated.ts'

/** What a room of `domain` adds to the API. */
export interface Room {
  readonly resolvers: Resolvers
  /** For `node(id:)`: finds an object of each of the room's types by its row id. Undefined if there is none that the viewer may see. */
  readonly nodes: { readonly [type: string]: (id: number, context: Context) => PromiseOrValue<object | undefined> }
}
