import { ApolloServer, type ApolloServerOptions, type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import type { Ledger } from '../cache/index.ts'
import { type Context, cacheWord } from '../request/context.ts'
import type { Resolvers } from '../request/resolvers.generated.ts'
import type { Room } from '../request/room.ts'
import { formatToken } from '../request/token.ts'
import { dateTime } from './date-time.ts'
import { createExecutor, type Executor } from './executor.ts'
import { limitComplexity } from './limit-complexity.ts'
import { isOurFault, isUnexpected, maskError } from './mask-errors.ts'
import { nodeResolvers } from './node-resolvers.ts'
import { MAX_TOKENS } from './operations.ts'
import { readSchema } from './read-schema.ts'

export interface ApiOptions {
  readonly rooms: readonly Room[]
  readonly ledger: Ledger
  readonly maxComplexity: number
  /** Called for every error that isn't the asker's: they aren't told, so somebody else should be. */
  readonly onUnexpected: (error: Error, requestId: string | undefined) => void
}

/** The GraphQL API: the schema, and what the rooms make of it. */
export function createApi(options: ApiOptions): ApolloServer<Context> {
  const { rooms, maxComplexity } = options
  const schema = makeExecutableSchema({
    typeDefs: readSchema(),
    resolvers: mergeResolvers([{ DateTime: dateTime }, nodeResolvers(rooms), ...rooms.map((room) => room.resolvers)]),
  })
  const execute = createExecutor(schema)
  return new ApolloServer<Context>({
    gateway: gatewayTo(schema, execute),
    plugins: [
      answerBy(execute),
      stampAnswers(options),
      limitComplexity(maxComplexity),
      // Hints are read by `Operations`, once for each document. Nothing here calls home, or makes a browser do so.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
    ],
    parseOptions: { maxTokens: MAX_TOKENS },
    // They are resolved before: see `http/documents.ts`.
    persistedQueries: false,
    maxRecursiveSelections: true,
    formatError: maskError,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    // Nothing is authorized by cookies, so another site can't act for a visitor; and CDNs send plain GETs.
    csrfPrevention: false,
    stopOnTerminationSignals: false,
  })
}

/**
 * Executes operations before Apollo does. What has errors is left for it to tell of: it asks the gateway, which has the
 * result already. All through the gateway would do as well, but that makes an object with getters for each request, and V8
 * keeps each of those, and so the whole request, until it clears up everything.
 */
const answerBy = (execute: Executor): ApolloServerPlugin<Context> => ({
  async requestDidStart() {
    return {
      async responseForOperation({ document, operation, request: { operationName, variables }, contextValue }) {
        if (!operation) return null
        const result = await execute({ document, operationName, variables, context: contextValue })
        if (result.errors) {
          contextValue.progress.result = result
          return null
        }
        return {
          http: { status: undefined, headers: new HeaderMap() },
          body: { kind: 'single', singleResult: { data: result.data } },
        }
      },
    }
  },
})

/** What Apollo calls a gateway: a schema, and what executes it. It asks for nothing elsewhere. */
function gatewayTo(schema: GraphQLSchema, execute: Executor): NonNullable<ApolloServerOptions<Context>['gateway']> {
  return {
    onSchemaLoadOrUpdate: (tell) => {
      tell({ apiSchema: schema, coreSupergraphSdl: '' })
      return () => {}
    },
    load: async () => ({
      executor: async ({ document, request: { operationName, variables }, context }) =>
        (context as Context).progress.result ?? execute({ document, operationName, variables, context }),
    }),
    stop: async () => {},
  }
}

/** Puts on every answer the position that it reflects, and logs what it hides. */
function stampAnswers({ ledger, onUnexpected }: ApiOptions): ApolloServerPlugin<Context> {
  const report = (error: Error, requestId: unknown) => {
    const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error
    onUnexpected(cause, typeof requestId === 'string' ? requestId : undefined)
  }
  return {
    async contextCreationDidFail({ error }) {
      if (error instanceof GraphQLError && !isUnexpected(error)) return
      report(error, error instanceof GraphQLError ? error.extensions.requestId : undefined)
    },
    async unexpectedErrorProcessingRequest({ error, requestContext }) {
      report(error, requestContext.contextValue.requestId)
    },
    async requestDidStart() {
      return {
        async didResolveSource({ contextValue }) {
          contextValue.progress.isQuestion = true
        },
        async didEncounterErrors({ errors, contextValue }) {
          for (const error of errors.filter(isUnexpected)) report(error, contextValue.requestId)
        },
        async willSendResponse({ response, contextValue }) {
          // No older than what this node knows by now, nor than the newest entry that went into the answer.
          const position = Math.max(ledger.seen, contextValue.progress.newest)
          response.http.headers.set('stet-as-of', formatToken(position, ledger.epoch))
          response.http.headers.set('x-cache', cacheWord(contextValue))
          if (response.body.kind === 'single') {
            const { errors } = response.body.singleResult
            contextValue.cacheControl.isPartial = errors !== undefined
            contextValue.cacheControl.hasFailed = errors?.some(isOurFault) ?? false
            for (const { extensions } of errors ?? []) {
              if (extensions?.code === 'INTERNAL_SERVER_ERROR') extensions.requestId = contextValue.requestId
            }
          }
        },
      }
    },
  }
}

/** Several rooms may add fields to one type. */
function mergeResolvers(all: readonly Resolvers[]): Resolvers {
  const merged: Record<string, object> = {}
  for (const resolvers of all) {
    for (const [type, fields] of Object.entries(resolvers)) {
      merged[type] = type === 'DateTime' ? fields : { ...merged[type], ...fields }
    }
  }
  return merged
}
