import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import responseCache from '@apollo/server-plugin-response-cache'
import { InMemoryLRUCache } from '@apollo/utils.keyvaluecache'
import { fastifyApolloHandler } from '@as-integrations/fastify'
import Fastify from 'fastify'
import { answerBench } from '../answer-bench.ts'
import { createLoaders, createResolvers, type PeerContext, typeDefs } from '../peer-schema.ts'
import { Store } from '../store.ts'

/** Apollo Server with its response cache, in Fastify, because its standalone server is slower. The cache knows only a time to live. */
const store = Store.read(process.env.BENCH_ROWS ?? '')
const api = new ApolloServer<PeerContext>({
  typeDefs,
  resolvers: createResolvers(store),
  cache: new InMemoryLRUCache({ maxSize: 256 * 2 ** 20 }),
  // Every field has this hint.
  plugins: [ApolloServerPluginCacheControl({ defaultMaxAge: 3600 }), responseCache()],
  csrfPrevention: false,
})
await api.start()
const app = Fastify()
app.route({
  method: ['GET', 'POST'],
  url: '/graphql',
  handler: fastifyApolloHandler(api, { context: async () => ({ loaders: createLoaders(store) }) }),
})
await app.listen({ port: 0, host: '127.0.0.1' })
answerBench({ ...(app.server.address() as AddressInfo), titles: (ids) => store.titles(ids) })
