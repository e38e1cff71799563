import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Context } from '../resolving/index.ts'
import type { Resolvers } from './resolvers.generated.ts'

/** What a room gives to the API. */
export interface Room {
  readonly resolvers: Resolvers
  /** For `node(id:)`: the object behind a global id of each of the room's types, undefined where there is none that the viewer may see. */
  readonly nodes: { readonly [type: string]: (id: number, context: Context) => PromiseOrValue<object | undefined> }
}
