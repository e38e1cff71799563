import { parseGlobalId } from '../../identity/index.ts'
import { AskerError } from '../../kernel/errors.ts'
import { quote } from '../../kernel/input.ts'
import { allHere, isPromise, whenHere } from '../../kernel/promise-or-value.ts'
import type { Context } from '../resolving/index.ts'
import type { Resolvers } from './resolvers.generated.ts'
import type { Room } from './room.ts'

/** The resolvers of `node` and `nodes`, which find objects of all rooms by their global ids. */
export function nodeResolvers(rooms: readonly Room[]): Resolvers {
  const finders: Room['nodes'] = Object.assign({}, ...rooms.map((room) => room.nodes))

  /** Finds an object and adds its `__typename`, which `__resolveType` reads. */
  const find = (field: string, globalId: string, context: Context) => {
    const parsed = parseGlobalId(globalId)
    const finder = parsed && Object.hasOwn(finders, parsed.type) ? finders[parsed.type] : undefined
    if (!parsed || !finder) {
      throw new AskerError('BAD_USER_INPUT', `${quote(globalId)} is not the id of anything here.`, { field })
    }
    // The spread comes last: V8 keeps a hidden class of its own for every spread object that gets a property afterwards.
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
        // An error in the list fails only its own place. The other objects are answered.
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
