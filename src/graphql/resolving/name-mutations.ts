import type { GraphQLFieldResolver } from 'graphql'
import type { Context } from './context.ts'

type Resolvers = Readonly<Record<string, object>>

/** Lets each mutation say its name before it is executed: audit records of what it writes have it. */
export function nameMutations(resolvers: Resolvers): Resolvers {
  const mutations = Object.entries({ ...resolvers.Mutation } as Record<string, GraphQLFieldResolver<unknown, Context>>)
  const named = mutations.map(([name, resolve]): (typeof mutations)[number] => [
    name,
    (parent, args, context, info) => {
      context.progress.mutation = name
      return resolve(parent, args, context, info)
    },
  ])
  return { ...resolvers, Mutation: Object.fromEntries(named) }
}
