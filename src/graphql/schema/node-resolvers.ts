import { parseGlobalId } from '../../identity/index.ts'
import { AskerError } from '../../kernel/errors.ts'
import { quote } from '../../kernel/input.ts'
import { allHere, isPromise, whenHere } from '../../kernel/promise-or-value.ts'
import type { Context } from '../resolving/index.ts'
import type { Room } from './module.ts'
import type { Resolvers } from './resolvers.generated.ts'

/** `node` and `nodes`: whatever room an id belongs to. */
export function nodeResolvers(rooms: readonly Room[]): Resolvers {
  const finders: Room['nodes'] = Object.assign({}, ...rooms.map((room) => room.nodes))

  /** Tagged with its type, which `__resolveType` reads back. */
  const find = (field: string, globalId: string, context: Context) => {
    const parsed = parseGlobalId(globalId)
    const finder = parsed && Object.hasOwn(finders, parsed.type) ? finders[parsed.type] : undefined
    if (!parsed || !finder) {
      throw new AskerError('BAD_USER_INPUT', `${quote(globalId)} is not the id of anything here.`, { field })
    }
    // What is copied comes last: V8 gives every copy that is added to afterwards a hidden class of its own, for good.
    return whenHere(finder(parsed.id, context), (node) => node && { __typename: parsed.type, ...node })
  }

  return {
    Node: {
      __resolveType: (node) => (node as unknown as { readonly __typename: 'Article' | 'User' | 'Tag' }).__typename,
    },
    Query: {
      node: (_parent, { id }, context) => find('id', id, context) as never,
      nodes: (_parent, { ids }, context) => {
        if (ids.length > MAX_IDS) {
          throw new AskerError('BAD_USER_INPUT', `nodes takes at most ${MAX_IDS} ids, not ${ids.length}.`, {
            field: 'ids',
          })
        }
        // An error in a list stands for its own place: the other objects are answered.
        const found = ids.map((id) => {
          try {
            const node = find('ids', id, context)
            return isPromise(node) ? node.catch((error: Error) => error) : node
          } catch (error) {
            return error as Error
          }
        })
        return allHere<object | undefined>(found) as never
      },
    },
  }
}

const MAX_IDS = 100
