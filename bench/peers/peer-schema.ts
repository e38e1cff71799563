import DataLoader from 'dataloader'
import { readSchema } from '../../src/graphql/schema/read-schema.ts'
import { parseGlobalId, toGlobalId } from '../../src/identity/global-id.ts'
import type { Article, Store, Tag, User } from './store.ts'

/** Stet's own schema. Fields that no workload asks for have no resolvers. */
export const typeDefs = readSchema()

export interface PeerContext {
  readonly loaders: ReturnType<typeof createLoaders>
}

/** To be called once for each request, as DataLoader's documentation asks for. */
export function createLoaders(store: Store) {
  return {
    article: new DataLoader(async (ids: readonly number[]) => ids.map((id) => store.article(id))),
    user: new DataLoader(async (ids: readonly number[]) => ids.map((id) => store.user(id))),
    tag: new DataLoader(async (ids: readonly number[]) => ids.map((id) => store.tag(id))),
    newestBy: new DataLoader<{ author: number; first: number }, (Article | undefined)[], string>(
      async (lists) => lists.map(({ author, first }) => store.newestBy(author, first)),
      { cacheKeyFn: ({ author, first }) => `${author} ${first}` },
    ),
  }
}

/** Resolvers of the peers, over a store. */
export function createResolvers(store: Store) {
  return {
    Query: {
      article: (_parent: unknown, { id }: { id: string }, { loaders }: PeerContext) => loaders.article.load(rowId(id)),
      articles: (_parent: unknown, { first }: { first?: number }) => ({ nodes: store.newest(first ?? 20) }),
      nodes: (_parent: unknown, { ids }: { ids: string[] }, { loaders }: PeerContext) =>
        loaders.article.loadMany(ids.map(rowId)),
    },
    Mutation: {
      updateArticle: (_parent: unknown, { input }: { input: { id: string; title: string } }) => ({
        article: store.rename(rowId(input.id), input.title),
      }),
    },
    Article: {
      id: ({ id }: Article) => toGlobalId('Article', id),
      author: ({ authorId }: Article, _args: unknown, { loaders }: PeerContext) => loaders.user.load(authorId),
      tags: ({ tagIds }: Article, _args: unknown, { loaders }: PeerContext) => loaders.tag.loadMany(tagIds),
    },
    User: {
      id: ({ id }: User) => toGlobalId('User', id),
      articles: async ({ id }: User, { first }: { first?: number }, { loaders }: PeerContext) => ({
        nodes: await loaders.newestBy.load({ author: id, first: first ?? 20 }),
      }),
    },
    Tag: { id: ({ id }: Tag) => toGlobalId('Tag', id) },
  }
}

const rowId = (globalId: string): number => parseGlobalId(globalId)?.id ?? 0
