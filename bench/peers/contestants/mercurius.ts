import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import cache from 'mercurius-cache'
import { answerBench } from '../answer-bench.ts'
import { createLoaders, createResolvers, typeDefs } from '../peer-schema.ts'
import { type Article, Store } from '../store.ts'

/**
 * Mercurius with its JIT and its cache of resolvers' results, which a mutation invalidates by references. `nodes`, authors and tags
 * are not cached: to read a row from memory by its id is quicker. DataLoader is used, because it is quicker than Mercurius's loaders.
 */
const store = Store.read(process.env.BENCH_ROWS ?? '')
const app = Fastify()
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: createResolvers(store) as never,
  context: () => ({ loaders: createLoaders(store) }),
  jit: 1,
})
await app.register(cache.default, {
  ttl: 3600,
  storage: { type: 'memory', options: { size: 30_000, invalidation: true } },
  policy: {
    Query: {
      article: {
        key: ({ arg }: { arg: { id: string } }) => arg.id,
        references: (_request: unknown, _key: unknown, article: Article) => [nameOf(article)],
      },
      articles: {
        key: ({ arg }: { arg: object }) => JSON.stringify(arg),
        references: (_request: unknown, _key: unknown, { nodes }: { nodes: Article[] }) => nodes.map(nameOf),
      },
    },
    Mutation: {
      updateArticle: {
        invalidate: (
          _self: unknown,
          _arg: unknown,
          _context: unknown,
          _info: unknown,
          { article }: { article: Article },
        ) => [nameOf(article)],
      },
    },
  } as never,
})
await app.listen({ port: 0, host: '127.0.0.1' })
answerBench({ ...(app.server.address() as AddressInfo), titles: (ids) => store.titles(ids) })

function nameOf({ id }: Article): string {
  return `article:${id}`
}
