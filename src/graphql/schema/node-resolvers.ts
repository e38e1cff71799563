import { parseGlobalId } from '../../identity/index.ts'
import { badInput, quote } from '../../kernel/input.ts'
import { allNowOrLater, isPromise } from '../../kernel/promise-or-value.ts'
import type { Context } from '../resolving/index.ts'
import type { Resolvers } from './resolvers.generated.ts'
import type { Room } from './room.ts'

/** The resolvers of `node` and `nodes`, which find objects of all rooms by their global ids. */
export function nodeResolvers(rooms: readonly Room[]): Resolvers {
  const types: Room['nodes'] = Object.assign({}, ...rooms.map((room) => room.nodes))
  const columns = Object.entries(types).map(([type, { column }]) => ({ type: type as NodeTypeName, column }))

  const find = (field: string, globalId: string, context: Context) => {
    const parsed = parseGlobalId(globalId)
    const type = parsed && Object.hasOwn(types, parsed.type) ? types[parsed.type] : undefined
    if (!parsed || !type) {
      throw badInput(field, `${field} must hold ids of objects here; ${quote(globalId)} is none.`)
    }
    return type.find(parsed.id, context)
  }

  return {
    Node: {
      __resolveType: (node) => columns.find(({ column }) => column in node)?.type ?? null,
    },
    Query: {
      node: (_parent, { id }, context) => find('id', id, context) as never,
      nodes: (_parent, { ids }, context) => {
        if (ids.length > MAX_IDS) {
          throw badInput('ids', `ids must be at most ${MAX_IDS}, not ${ids.length}.`)
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
        return allNowOrLater<object | undefined>(found) as never
      },
    },
  }
}

const MAX_IDS = 100

type NodeTypeName = 'Article' | 'User' | 'Tag'
