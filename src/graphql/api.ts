import {
  ApolloServer,
  type ApolloServerOptions,
  type ApolloServerPlugin,
  HeaderMap,
  type HTTPGraphQLRequest,
  type HTTPGraphQLResponse,
} from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { type DocumentNode, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql'
import type { Ledger } from '../cache/index.ts'
import { formatToken } from '../invalidation/index.ts'
import { createExecutor, type Executor } from './execution/index.ts'
import { type Asked, limitComplexity, MAX_TOKENS, type Operation } from './operation/index.ts'
import { addCodes, type Context, cacheWord, isOurFault, isUnexpected, maskError } from './resolving/index.ts'
import { dateTime, nodeResolvers, type Resolvers, type Room, readSchema } from './schema/index.ts'

export interface ApiOptions {
  readonly rooms: readonly Room[]
  readonly ledger: Ledger
  readonly maxComplexity: number
  /** Called for every error that isn't the asker's: they aren't told, so somebody else should be. */
  readonly onUnexpected: (error: Error, requestId: string | undefined) => void
}

/** What is asked for, where that could be told without running it. */
export interface Runnable {
  readonly operation: Operation
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly mediaType: string
}

/** The GraphQL API: the schema, and what the rooms make of it. */
export class Api {
  readonly #apollo: ApolloServer<Context>
  readonly #execute: Executor
  readonly #limit: (asked: Asked) => void
  readonly #ledger: Ledger

  constructor(options: ApiOptions) {
    const { rooms, ledger, maxComplexity } = options
    const schema = makeExecutableSchema({
      typeDefs: readSchema(),
      resolvers: mergeResolvers([{ DateTime: dateTime }, nodeResolvers(rooms), ...rooms.map((room) => room.resolvers)]),
    })
    const execute = createExecutor(schema)
    const limit = limitComplexity(schema, maxComplexity)
    this.#execute = execute
    this.#limit = limit
    this.#ledger = ledger
    this.#apollo = new ApolloServer<Context>({
      gateway: gatewayTo(schema, execute),
      plugins: [
        answerBy(execute, limit),
        stampAnswers(options),
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

  start(): Promise<void> {
    return this.#apollo.start()
  }

  stop(): Promise<void> {
    return this.#apollo.stop()
  }

  /**
   * Answers a request. What Apollo has answered before is known to be valid and is executed straight away, without the rest of
   * what Apollo does; where that brings errors, Apollo is given them to tell of.
   * @param asked undefined where Apollo alone may run it
   */
  async answer(http: HTTPGraphQLRequest, context: Context, asked?: Runnable): Promise<HTTPGraphQLResponse> {
    const { progress } = context
    const document = asked?.operation.document?.deref()
    // A GET may not write, which Apollo sees to.
    const mayRun = asked && (asked.operation.type === 'query' || http.method === 'POST')
    if (mayRun && document && this.#isWithinLimit(document, asked)) {
      progress.isQuestion = true
      const { operationName, variables } = asked
      const result = await this.#execute({ document, operationName, variables, context })
      if (!result.errors) return this.#tell(result.data, asked.mediaType, context)
      progress.result = result
    }
    const response = await this.#apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: http,
      context: async () => context,
    })
    if (asked && progress.document) asked.operation.document = new WeakRef(progress.document)
    return response
  }

  /** Answers a request that failed before it had a context. */
  refuse(http: HTTPGraphQLRequest, error: GraphQLError): Promise<HTTPGraphQLResponse> {
    return this.#apollo.executeHTTPGraphQLRequest({ httpGraphQLRequest: http, context: () => Promise.reject(error) })
  }

  #isWithinLimit(document: DocumentNode, { operationName, variables }: Runnable): boolean {
    try {
      this.#limit({ document, operationName, variables })
      return true
    } catch {
      // Apollo finds that too, and tells of it.
      return false
    }
  }

  /** As Apollo does. */
  #tell(data: ExecutionResult['data'], mediaType: string, context: Context): HTTPGraphQLResponse {
    const headers = new HeaderMap()
    headers.set('content-type', mediaType)
    stamp(headers, context, this.#ledger)
    return { headers, body: { kind: 'complete', string: `${JSON.stringify({ data })}\n` } }
  }
}

/**
 * Executes operations before Apollo does. What has errors is left for it to tell of: it asks the gateway, which has the
 * result already. All through the gateway would do as well, but that makes an object with getters for each request, and V8
 * keeps each of those, and so the whole request, until it clears up everything.
 */
const answerBy = (execute: Executor, limit: (asked: Asked) => void): ApolloServerPlugin<Context> => ({
  async requestDidStart() {
    return {
      async didResolveOperation({ request: { variables }, document, operationName, contextValue: { progress } }) {
        limit({ document, operationName, variables })
        progress.document = document
      },
      async responseForOperation({ document, operation, request: { operationName, variables }, contextValue }) {
        if (!operation) return null
        const { progress } = contextValue
        const result = progress.result ?? (await execute({ document, operationName, variables, context: contextValue }))
        if (result.errors) {
          progress.result = result
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
          addCodes(errors)
          for (const error of errors.filter(isUnexpected)) report(error, contextValue.requestId)
        },
        async willSendResponse({ response, contextValue }) {
          stamp(response.http.headers, contextValue, ledger)
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

function stamp(headers: HeaderMap, context: Context, ledger: Ledger): void {
  // No older than what this node knows by now, nor than the newest entry that went into the answer.
  const position = Math.max(ledger.seen, context.progress.newest)
  headers.set('stet-as-of', formatToken(position, ledger.epoch))
  headers.set('x-cache', cacheWord(context))
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
