import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { useGraphQlJit } from '@envelop/graphql-jit'
import { createInMemoryCache, useResponseCache } from '@graphql-yoga/plugin-response-cache'
import { createSchema, createYoga } from 'graphql-yoga'
import { answerBench } from '../answer-bench.ts'
import { createLoaders, createResolvers, type PeerContext, typeDefs } from '../peer-schema.ts'
import { Store } from '../store.ts'

/** GraphQL Yoga with graphql-jit and its response cache, which a mutation invalidates by the types and ids in its answer. */
const store = Store.read(process.env.BENCH_ROWS ?? '')
const yoga = createYoga<object, PeerContext>({
  schema: createSchema({ typeDefs, resolvers: createResolvers(store) }),
  context: () => ({ loaders: createLoaders(store) }),
  plugins: [
    useGraphQlJit(),
    useResponseCache({
      session: () => null,
      ttl: 3_600_000,
      cache: createInMemoryCache({ max: 30_000 }),
      // By default the key is made by Web Crypto, which is asynchronous, and slower.
      buildResponseCacheKey: async ({ documentString, operationName, variableValues }) =>
        createHash('sha1')
          .update(JSON.stringify([documentString, operationName, variableValues]))
          .digest('base64url'),
    }),
  ],
  logging: false,
  graphiql: false,
  landingPage: false,
})
const server = createServer(yoga)
server.listen(0, '127.0.0.1', () =>
  answerBench({ ...(server.address() as AddressInfo), titles: (ids) => store.titles(ids) }),
)
